/**
 * Bindings of golden records made anew: for rows that an earlier version wrote, once in the life of an installation, and when index
 * keys change. Neither takes the registry's lock: a row that somebody writes meanwhile has its binding from them.
 */
import { statement, type Transaction } from '../../platform/db/sql.ts';
import type { KeyRing, ResealParticipant } from '../../store/index.ts';
import { domainsOf, storedFits } from './altered.ts';
import type { DomainTable, RegistryDeps } from './deps.ts';
import { bindGolden, boundText, memberOf, MEMBERS } from './golden-binding.ts';
import type { RoundDeps } from './round-loading.ts';
import { resealShares } from './shares.ts';
import { readFigures, type StoredGolden } from './store.ts';

const COLUMNS = `golden_id, version, updated_at, replaced_by, deleted, organisations, shared_with, binding, ${MEMBERS}`;
const unbound = statement<StoredGolden>(
  'registry.unbound-goldens',
  `SELECT ${COLUMNS} FROM registry.golden AS g WHERE golden_id > $1 AND binding IS NULL ORDER BY golden_id LIMIT $2`,
);
const bound = statement<StoredGolden>(
  'registry.bound-goldens',
  `SELECT ${COLUMNS} FROM registry.golden AS g WHERE golden_id > $1 AND binding IS NOT NULL ORDER BY golden_id LIMIT $2`,
);
const quietly = statement<{ set_config: string }>(
  'registry.rebinding',
  `SELECT set_config('careseal.rebinding', 'on', true)`,
);
const setBindings = statement(
  'registry.set-bindings',
  `UPDATE registry.golden AS g SET binding = n.binding
   FROM unnest($1::uuid[], $2::int[], $3::bigint[], $4::bigint[]) AS n(golden_id, version, former, binding)
   WHERE g.golden_id = n.golden_id AND g.version = n.version AND g.binding IS NOT DISTINCT FROM n.former`,
);
const NIL = '00000000-0000-0000-0000-000000000000';
const BATCH_ROWS = 500;

export interface EarlierOptions {
  readonly signal?: AbortSignal;
  /** Golden records bound so far. */
  readonly onProgress?: (goldens: number) => void;
}

/**
 * Binds what an earlier version has written: golden records as they stand, and what is said of shares. Until it has been through all,
 * rows without a binding are believed. Undefined where that was done before, or is not kept.
 */
export async function bindEarlierGoldens(deps: RoundDeps, options: EarlierOptions = {}): Promise<number | undefined> {
  const { goldensBound: mark } = deps;
  if (mark === undefined || mark.isSet()) return undefined;
  let counted = 0;
  let after: string | undefined = NIL;
  while (after !== undefined) {
    if (options.signal?.aborted === true) return undefined;
    const from: string = after;
    const rows = await deps.database.transaction(async (tx) => {
      const page = await tx.rows(unbound, [from, BATCH_ROWS]);
      await write(deps, tx, page);
      return page;
    });
    counted += rows.length;
    if (rows.length > 0) options.onProgress?.(counted);
    after = rows.length < BATCH_ROWS ? undefined : rows.at(-1)?.golden_id;
  }
  await deps.database.transaction((tx) => resealShares(deps, tx));
  await mark.set();
  return counted;
}

/** The part of these bindings in a change of index keys. One that does not fit stays as it is: it fits nothing, before and after. */
export function bindingParticipant(deps: RoundDeps): ResealParticipant {
  return {
    name: 'registry.golden.binding',
    kinds: ['index'],
    count: async (sql) => (await readFigures(sql)).clients,
    async resealBatch(tx, { cursor, limit }) {
      const rows = await tx.rows(bound, [cursor ?? NIL, limit]);
      const domains = await domainsFor(deps, rows);
      await write(
        deps,
        tx,
        rows.filter((row) => storedFits(deps, row, domains)),
      );
      return { cursor: rows.length < limit ? undefined : rows.at(-1)?.golden_id, visited: rows.length };
    },
  };
}

const domainsFor = (deps: Pick<RegistryDeps, 'domains'>, rows: readonly StoredGolden[]) =>
  domainsOf(
    deps,
    rows.flatMap(({ members }) => members.map((text) => memberOf(text).domainId)),
  );

async function write(deps: RoundDeps, tx: Transaction, rows: readonly StoredGolden[]): Promise<void> {
  if (rows.length === 0) return;
  const domains = await domainsFor(deps, rows);
  const made = rows.flatMap((row) => {
    const binding = bindingOf(deps.keyRing, row, domains);
    return binding === undefined ? [] : [{ row, binding }];
  });
  await tx.rows(quietly);
  await tx.run(setBindings, [
    made.map(({ row }) => row.golden_id),
    made.map(({ row }) => row.version),
    made.map(({ row }) => row.binding),
    made.map(({ binding }) => binding),
  ]);
}

/** Undefined where a record is of a domain that is nobody's: there is nothing to say of whose it is. */
function bindingOf(keyRing: Pick<KeyRing, 'blind'>, row: StoredGolden, domains: DomainTable): bigint | undefined {
  const facts = {
    ...{ goldenId: row.golden_id, version: row.version, members: row.members.map(memberOf) },
    ...{ organisations: row.organisations, sharedWith: row.shared_with },
  };
  return boundText(facts, domains) === undefined ? undefined : bindGolden(keyRing, facts, domains);
}
