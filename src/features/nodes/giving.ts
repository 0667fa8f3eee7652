/**
 * What somebody may let a system do. A system reaches every client of the programme, and whoever makes one can hold its key: so
 * nobody opens by a system what they may not open themselves. Pure.
 */
import type { NodeScope, Permission } from '../../kernel/access.ts';
import type { OrganisationId } from '../../kernel/ids.ts';
import type { Principal } from '../../kernel/principal.ts';
import type { Problem } from '../../kernel/problem.ts';
import { covers, reachOf } from '../../kernel/reach.ts';
import { nodeProblem } from './errors.ts';

/** What each scope opens. `feed` is about the node's own records: asked in its organisation; the others reach everybody's. */
const OPENS: Readonly<Record<NodeScope, readonly Permission[]>> = {
  read: ['client.read'],
  search: ['client.read'],
  pix: ['client.read'],
  match: ['client.read'],
  subscribe: ['client.read'],
  feed: ['client.write', 'client.delete'],
  audit: ['audit.read'],
};

/** Of these scopes, those that the principal may not give to a node of that organisation. */
export function beyondGiver(
  principal: Principal,
  scopes: readonly NodeScope[],
  organisationId: OrganisationId,
): readonly NodeScope[] {
  return scopes.filter((scope) =>
    OPENS[scope].some((permission) => {
      const reach = reachOf(principal, permission);
      return scope === 'feed' ? !covers(reach, [organisationId]) : reach !== 'all';
    }),
  );
}

/** Throws `rights-exceed` where a scope opens more than the principal may see or do. */
export function assertMayGive(
  principal: Principal,
  scopes: readonly NodeScope[],
  organisationId: OrganisationId,
): void {
  const beyond = beyondGiver(principal, scopes, organisationId);
  if (beyond.length > 0) throw rightsExceed(beyond);
}

const rightsExceed = (scopes: readonly NodeScope[]): Problem =>
  nodeProblem(
    'forbidden',
    'rights-exceed',
    `A system with ${scopes.join(', ')} reaches more than you may see or do yourself: clients of every organisation. Nothing was changed. Give it the scope "feed" alone, or ask the central administration.`,
  );
