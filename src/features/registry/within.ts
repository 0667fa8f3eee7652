/** Whose a golden record is, and how it is marked for searches. The reads that rest on it are in visibility.ts. */
import type { OrganisationId } from '../../kernel/ids.ts';
import { clientAltered } from './altered-problem.ts';
import type { DomainTable } from './deps.ts';
import type { SearchTerm } from './service.ts';

/** Organisations of a bounded reach, and the numbers of their domains. */
export interface Within {
  readonly organisations: readonly OrganisationId[];
  readonly domainIds: readonly number[];
}

const PARAMETER = 'registry.organisation';

/** What a golden record of this organisation is found by. */
export const organisationTerm = (id: OrganisationId): SearchTerm => ({ parameter: PARAMETER, value: id });

/** Number of a domain that a dry run would make; what is filed under it is undone. */
export const UNMADE = 0;

/** Organisations that see a golden record: those of its members' domains and those it is shared with, without the central one. */
export function organisationsOf(
  domains: DomainTable,
  golden: { readonly domainIds: readonly number[]; readonly sharedWith: readonly OrganisationId[] },
  central: OrganisationId | undefined,
): OrganisationId[] {
  const own = golden.domainIds
    .filter((id) => id !== UNMADE)
    .map((id) => {
      const domain = domains.byId(id);
      if (domain === undefined || domain.altered) throw clientAltered();
      return domain.organisationId;
    });
  return [...new Set([...own, ...golden.sharedWith])].filter((id) => id !== central).sort();
}
