/** Clients whose repair left them to the central organisation alone, because nothing proved whose a record of theirs is. */
import type { OrganisationId, ResourceId } from '../../kernel/ids.ts';
import { statement } from '../../platform/db/sql.ts';
import type { RegistryDeps } from './deps.ts';

/** The domain, the central organisation's, in which a repair files records that nothing proves a domain of. */
export const UNPLACED = 'urn:careseal:unplaced';

export interface Narrowed {
  readonly count: number;
  /** One of them, the longest unchanged. */
  readonly first?: ResourceId;
}

// No index leads here: it is asked only where a repair has ever filed a record so.
const narrowed = statement<{ golden_id: ResourceId; count: number }>(
  'registry.narrowed',
  `SELECT golden_id, count(*) OVER ()::int AS count FROM registry.golden
   WHERE golden_id IN (SELECT golden_id FROM registry.source WHERE domain_id = $1)
     AND replaced_by IS NULL AND NOT deleted AND organisations <@ ARRAY[$2::uuid]
   ORDER BY updated_at, golden_id LIMIT 1`,
);

/** Those that no other organisation has come to see since: by a record of its own, or because a steward shared the client. */
export async function narrowedClients(deps: Pick<RegistryDeps, 'database' | 'domains'>): Promise<Narrowed> {
  const domain = (await deps.domains.table()).bySystem(UNPLACED);
  if (domain === undefined) return { count: 0 };
  const central: OrganisationId = domain.organisationId;
  const [row] = await deps.database.rows(narrowed, [domain.id, central]);
  return row === undefined ? { count: 0 } : { count: row.count, first: row.golden_id };
}
