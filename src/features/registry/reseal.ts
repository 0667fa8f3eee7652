/** The registry's part in a key rotation: match records sealed anew, blocking keys and own identifiers blinded anew. */
import type { ResourceId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import type { ResealParticipant, StoredResource } from '../../store/index.ts';
import { patientOf } from './content.ts';
import { formerParticipant } from './former-records.ts';
import { goldenTokens, organisationTokens } from './golden.ts';
import { keyTokenOf } from './records.ts';
import type { RoundDeps } from './round-loading.ts';
import { addBlockingKeys, type BlockingRow, removeBlockingKeys } from './round-store.ts';
import { readFigures, readGoldens, readSourcesOfGoldens, type SourceRow, takeRegistryLock } from './store.ts';
import { storedKey } from './own-key.ts';
import { bindingParticipant } from './rebinding.ts';
import { boundWordParticipants } from './rule-binding.ts';

const nextSources = statement<SourceRow>(
  'registry.reseal-next',
  `SELECT source_id, golden_id, domain_id, key_token, version, pinned, match_record FROM registry.source
   WHERE source_id > $1 ORDER BY source_id LIMIT $2 FOR UPDATE`,
);
const setMatchRecords = statement(
  'registry.reseal-set-match-records',
  `UPDATE registry.source AS s SET match_record = n.match_record
   FROM unnest($1::uuid[], $2::bytea[]) AS n(source_id, match_record) WHERE s.source_id = n.source_id`,
);
const setKeyTokens = statement(
  'registry.reseal-set-key-tokens',
  `UPDATE registry.source AS s SET key_token = n.key_token
   FROM unnest($1::uuid[], $2::bigint[]) AS n(source_id, key_token) WHERE s.source_id = n.source_id`,
);
const NIL = '00000000-0000-0000-0000-000000000000';

export function registryParticipants(deps: RoundDeps): ResealParticipant[] {
  return [
    {
      name: 'registry.source',
      kinds: ['data', 'index'],
      count: async (sql) => (await readFigures(sql)).sources,
      async resealBatch(tx, { kind, cursor, limit }) {
        // Blocking keys of one record are several rows: no registration may see them half old, half new.
        if (kind === 'index') await takeRegistryLock(tx);
        const rows = await tx.rows(nextSources, [cursor ?? NIL, limit]);
        if (kind === 'data') await resealMatchRecords(deps, tx, rows);
        else await blindAnew(deps, tx, rows);
        return { cursor: rows.length < limit ? undefined : rows.at(-1)?.source_id, visited: rows.length };
      },
    },
    formerParticipant(deps),
    bindingParticipant(deps),
    ...boundWordParticipants(deps.keyRing),
  ];
}

async function resealMatchRecords(deps: RoundDeps, tx: Transaction, rows: readonly SourceRow[]): Promise<void> {
  if (rows.length === 0) return;
  const sealed = rows.map((row) => deps.records.seal(row.source_id, row.version, deps.records.open(row).record));
  await tx.run(setMatchRecords, [rows.map((row) => row.source_id), sealed]);
}

async function blindAnew(deps: RoundDeps, tx: Transaction, rows: readonly SourceRow[]): Promise<void> {
  if (rows.length === 0) return;
  const removed: BlockingRow[] = [];
  const added: BlockingRow[] = [];
  for (const row of rows) {
    const { prepared } = deps.records.open(row);
    const current = deps.records.blindKeys(prepared);
    const stale = deps.records.lookupKeys(prepared).filter((token) => !current.includes(token));
    removed.push(...stale.map((token) => ({ token, sourceId: row.source_id })));
    added.push(...current.map((token) => ({ token, sourceId: row.source_id })));
  }
  await removeBlockingKeys(tx, removed);
  await addBlockingKeys(tx, added);
  await tx.run(setKeyTokens, [rows.map((row) => row.source_id), await newKeyTokens(deps, tx, rows)]);
}

async function newKeyTokens(deps: RoundDeps, tx: Transaction, rows: readonly SourceRow[]): Promise<(bigint | null)[]> {
  const domains = await deps.domains.table();
  const stored = await deps.resources.read(
    tx,
    'Patient',
    rows.map((row) => row.source_id),
  );
  return rows.map((row) => {
    const content = stored.get(row.source_id)?.content;
    const system = domains.byId(row.domain_id)?.system;
    if (!content || system === undefined) return null;
    const was = { domainId: row.domain_id, system, keyToken: row.key_token };
    const key = storedKey(deps.keyRing, patientOf(content), was);
    return key === undefined ? null : keyTokenOf(deps.keyRing, row.domain_id, key);
  });
}

/** The tokens that stored Patients are to be found by, computed anew under the current index key. */
export async function tokensOfStored(
  deps: RoundDeps,
  sql: Sql,
  stored: readonly StoredResource[],
): Promise<ReadonlyMap<ResourceId, readonly bigint[]>> {
  const tokens = new Map<ResourceId, readonly bigint[]>();
  const sources = await readSourcesOfGoldens(
    sql,
    stored.map((one) => one.id),
  );
  const contents = await deps.resources.read(
    sql,
    'Patient',
    sources.map((row) => row.source_id),
  );
  const organisations = new Map(
    (
      await readGoldens(
        sql,
        stored.map((one) => one.id),
      )
    ).map((row) => [row.golden_id, row.organisations]),
  );
  for (const one of stored) {
    const members = sources.flatMap((row) => {
      const source = contents.get(row.source_id);
      return row.golden_id === one.id && source?.content
        ? [{ sourceId: row.source_id, lastUpdatedMs: source.lastUpdatedMs, patient: patientOf(source.content) }]
        : [];
    });
    // Only a live golden record has members; everything else is reached by id alone.
    const own = organisationTokens(deps, organisations.get(one.id) ?? []);
    tokens.set(
      one.id,
      members.length === 0 || !one.content ? [] : [...goldenTokens(deps, patientOf(one.content), members), ...own],
    );
  }
  return tokens;
}
