/** Domains whose row somebody has changed past Careseal: what they were is what their binding, if it is still there, fits. */
import type { OrganisationId } from '../../kernel/ids.ts';
import type { Database } from '../../platform/db/index.ts';
import { type Sql, statement } from '../../platform/db/sql.ts';
import type { Binder } from './binding.ts';
import { LIST_DOMAINS, NOTIFY } from './store.ts';

/** A domain that was changed, and whose it was; `proven` is missing where nothing that is left says it. */
export interface AlteredDomain {
  readonly id: number;
  readonly system: string;
  readonly proven?: { readonly system: string; readonly organisationId: OrganisationId };
}

const SET = statement('nodes.repair-domain', 'UPDATE nodes.domain SET system = $2, organisation_id = $3 WHERE id = $1');

/** Tries every organisation, and the names of all domains: two may have been exchanged. */
export async function alteredDomains(
  sql: Sql,
  binder: Binder,
  organisations: readonly OrganisationId[],
): Promise<AlteredDomain[]> {
  const rows = await sql.rows(LIST_DOMAINS);
  const systems = rows.map((row) => row.system);
  return rows
    .filter((row) => row.binding !== null && !binder.isDomainIntact(row))
    .map((row) => {
      const { id, system } = row;
      for (const candidate of new Set([system, ...systems])) {
        for (const organisationId of organisations) {
          const whole = { ...row, system: candidate, organisation_id: organisationId };
          if (binder.isDomainIntact(whole)) return { id, system, proven: { system: candidate, organisationId } };
        }
      }
      return { id, system };
    });
}

/** Writes what is proven. For the owner of the database: whose a domain is never changes otherwise. */
export async function mendDomains(owner: Database, altered: readonly AlteredDomain[]): Promise<void> {
  await owner.transaction(async (tx) => {
    // Names are unique: those that were exchanged make room for each other first.
    for (const { id, proven } of altered)
      if (proven !== undefined) await tx.run(SET, [id, `repairing ${id}`, proven.organisationId]);
    for (const { id, proven } of altered)
      if (proven !== undefined) await tx.run(SET, [id, proven.system, proven.organisationId]);
    await tx.rows(NOTIFY);
  });
}
