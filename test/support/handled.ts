import { assertAudited, assertDeclaredEvent } from '../../src/platform/http/answer.ts';
import type { RouteDeclaration, RouteReply } from '../../src/platform/http/route.ts';

/** Calls a route's handler as the door does: what it answers must hold the receipt of the event the route declares. */
export async function handled(route: RouteDeclaration, request: unknown): Promise<RouteReply<unknown>> {
  // A test gives what the handler reads; the door's schemas have their own tests.
  const reply = await (route as RouteDeclaration<never, never, never>).handle(request as never);
  assertAudited(route, reply);
  assertDeclaredEvent(route, reply);
  return reply;
}
