import type { Principal } from '../../kernel/principal.ts';
import { reachOf } from '../../kernel/reach.ts';

/** In whose name something is loaded: the organisation a person acts in; nobody's for the command line. */
export function ownerOf(principal: Principal): string | null {
  return principal.kind === 'user' || principal.kind === 'node' ? principal.organisationId : null;
}

/** Whether an upload or load of this organisation is there for the principal. */
export function isOwn(principal: Principal, organisationId: string | null): boolean {
  const reach = reachOf(principal, 'client.load');
  return reach === 'all' || reach.some((id) => id === organisationId);
}
