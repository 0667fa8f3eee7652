/** Other names of identifier systems: `urn:oid:…` beside a URL, an HL7 v2 namespace as `hl7v2:NAME`. */
import type { Actor } from '../../kernel/principal.ts';
import { Problem } from '../../kernel/problem.ts';
import type { Clock } from '../../kernel/time.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { Database } from '../../platform/db/index.ts';
import { type Sql, statement } from '../../platform/db/sql.ts';
import type { Audit } from '../audit/index.ts';

export interface Aliases {
  /** System by alias; at most a second old, and never older than a change made by this process. */
  table(): Promise<ReadonlyMap<string, string>>;
  /** Gives a system another name; the same alias for another system replaces the former. Throws Problem `alias-invalid`. */
  set(actor: Actor, what: { readonly alias: string; readonly system: string }): Promise<AuditReceipt>;
  remove(actor: Actor, alias: string): Promise<AuditReceipt>;
}

interface AliasRow {
  readonly alias: string;
  readonly system: string;
}

const list = statement<AliasRow>('registry.aliases', 'SELECT alias, system FROM registry.domain_alias ORDER BY alias');
const put = statement(
  'registry.put-alias',
  `INSERT INTO registry.domain_alias (alias, system) VALUES ($1, $2)
   ON CONFLICT (alias) DO UPDATE SET system = excluded.system`,
);
const drop = statement('registry.drop-alias', 'DELETE FROM registry.domain_alias WHERE alias = $1');

const FRESH_MS = 1_000;
const LENGTH_MAX = 500;

export interface AliasDeps {
  readonly database: Database;
  readonly clock: Clock;
  readonly audit: Pick<Audit, 'record'>;
  /** Systems that somebody owns: an alias must not shadow one of them. */
  readonly domains: { table(): Promise<{ bySystem(system: string): unknown }> };
}

export function createAliases({ database, clock, audit, domains }: AliasDeps): Aliases {
  let snapshot: { readonly atMs: number; readonly table: Promise<ReadonlyMap<string, string>> } | undefined;

  function changed(actor: Actor, action: 'U' | 'D', alias: string, run: (sql: Sql) => Promise<number>) {
    return database.transaction(async (tx) => {
      if ((await run(tx)) === 0)
        throw new Problem('not-found', 'alias-unknown', 'There is no such alias. Nothing was changed.');
      tx.afterCommit(() => {
        snapshot = undefined;
      });
      return audit.record(tx, [{ actor, event: 'domain.alias', action, outcome: 'success', detail: { alias } }]);
    });
  }

  return {
    table() {
      const nowMs = clock.nowMs();
      if (snapshot !== undefined && nowMs >= snapshot.atMs && nowMs - snapshot.atMs < FRESH_MS) return snapshot.table;
      const table = database.rows(list).then((rows) => new Map(rows.map((row) => [row.alias, row.system])));
      const made = { atMs: nowMs, table };
      snapshot = made;
      table.catch(() => {
        if (snapshot === made) snapshot = undefined;
      });
      return table;
    },
    async set(actor, { alias, system }) {
      const isText = (text: string): boolean => text.trim() !== '' && text.length <= LENGTH_MAX && !text.includes('|');
      if (!isText(alias) || !isText(system) || alias === system)
        throw new Problem('invalid', 'alias-invalid', 'An alias and a system are two different URIs without a bar.');
      if ((await domains.table()).bySystem(alias) !== undefined)
        throw new Problem('conflict', 'alias-invalid', 'This alias is a domain of its own. Nothing was changed.');
      return changed(actor, 'U', alias, (tx) => tx.run(put, [alias, system]));
    },
    remove: (actor, alias) => changed(actor, 'D', alias, (tx) => tx.run(drop, [alias])),
  };
}
