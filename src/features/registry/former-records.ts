/**
 * What stewards decided about a record outlives its deletion: whoever deletes a record and sends it again, under the same identifier
 * of its domain, gets a new id, and the decisions come with it.
 */
import type { ResourceId } from '../../kernel/ids.ts';
import { statement, type Transaction } from '../../platform/db/sql.ts';
import type { ResealParticipant } from '../../store/index.ts';
import type { SourceState } from './batch-state.ts';
import { patientOf } from './content.ts';
import { storedKey } from './own-key.ts';
import { keyTokenOf } from './records.ts';
import type { RoundDeps } from './round-loading.ts';

const keep = statement(
  'registry.keep-former',
  `INSERT INTO registry.former_record (source_id, domain_id, key_token, pinned)
   SELECT source_id, domain_id, key_token, pinned FROM registry.source AS s
   WHERE source_id = ANY($1::uuid[]) AND key_token IS NOT NULL AND (pinned
     OR EXISTS (SELECT FROM registry.never_link WHERE a = s.source_id)
     OR EXISTS (SELECT FROM registry.never_link WHERE b = s.source_id))`,
);
/** Before their rows go. */
export async function keepFormer(tx: Transaction, ids: readonly ResourceId[]): Promise<void> {
  if (ids.length > 0) await tx.run(keep, [ids]);
}

// Each decision keeps its own number: whoever takes it back takes it back for the record that came again, too.
const carry = statement(
  'registry.carry-never-links',
  `WITH again AS (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS again(id, former)),
     gone AS (DELETE FROM registry.former_record WHERE source_id = ANY($2::uuid[]))
   INSERT INTO registry.never_link (a, b, entry_id)
   SELECT least(again.id, kept.other), greatest(again.id, kept.other), kept.entry_id
   FROM again CROSS JOIN LATERAL (
     SELECT b AS other, entry_id FROM registry.never_link WHERE a = again.former
     UNION ALL SELECT a, entry_id FROM registry.never_link WHERE b = again.former
   ) AS kept
   ON CONFLICT DO NOTHING`,
);
/** Writes for records that came again what was decided about them before; answers these records. */
export async function carryDecisions(
  tx: Transaction,
  sources: readonly SourceState[],
): Promise<readonly SourceState[]> {
  const again = sources.filter((source) => source.formerId !== undefined && source.change === 'written');
  if (again.length > 0) await tx.run(carry, [again.map(({ id }) => id), again.map(({ formerId }) => formerId ?? null)]);
  return again;
}

interface FormerRow {
  readonly source_id: ResourceId;
  readonly domain_id: number;
  readonly key_token: bigint;
}
const next = statement<FormerRow>(
  'registry.reseal-next-former',
  `SELECT source_id, domain_id, key_token FROM registry.former_record
   WHERE source_id > $1 ORDER BY source_id LIMIT $2 FOR UPDATE`,
);
const setToken = statement(
  'registry.reseal-set-former-token',
  'UPDATE registry.former_record SET key_token = $2 WHERE source_id = $1',
);
const drop = statement('registry.drop-former', 'DELETE FROM registry.former_record WHERE source_id = $1');
const countFormer = statement<{ n: bigint }>(
  'registry.count-former',
  'SELECT count(*) AS n FROM registry.former_record',
);
const NIL = '00000000-0000-0000-0000-000000000000';
/** The deletion is the newest version; what the record said stands in the one before. */
const VERSIONS_BACK = 2;

/** The identifiers of deleted records, blinded anew in a rotation of index keys. */
export function formerParticipant(deps: RoundDeps): ResealParticipant {
  async function blindAnew(tx: Transaction, row: FormerRow): Promise<void> {
    const versions = await deps.resources.history(tx, 'Patient', row.source_id, { limit: VERSIONS_BACK });
    const content = versions.find((one) => one.content !== null)?.content;
    const system = (await deps.domains.table()).byId(row.domain_id)?.system;
    const was = { domainId: row.domain_id, keyToken: row.key_token };
    const key =
      content && system !== undefined ? storedKey(deps.keyRing, patientOf(content), { ...was, system }) : undefined;
    // Erased meanwhile: nobody can send it again.
    if (key === undefined) await tx.run(drop, [row.source_id]);
    else await tx.run(setToken, [row.source_id, keyTokenOf(deps.keyRing, row.domain_id, key)]);
  }
  return {
    name: 'registry.former_record',
    kinds: ['index'],
    count: async (sql) => Number((await sql.rows(countFormer))[0]?.n ?? 0n),
    async resealBatch(tx, { cursor, limit }) {
      const rows = await tx.rows(next, [cursor ?? NIL, limit]);
      for (const row of rows) await blindAnew(tx, row);
      return { cursor: rows.length < limit ? undefined : rows.at(-1)?.source_id, visited: rows.length };
    },
  };
}
