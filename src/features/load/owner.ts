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

/** In place of an organisation: what central people keep for all of them. */
export const EVERYBODYS = '00000000-0000-0000-0000-000000000000';

/** Where somebody's own mappings are kept: with their organisation, or, of people who load everywhere, with everybody's. */
export function ownPlace(principal: Principal): string {
  return reachOf(principal, 'client.load') === 'all' ? EVERYBODYS : (ownerOf(principal) ?? EVERYBODYS);
}
