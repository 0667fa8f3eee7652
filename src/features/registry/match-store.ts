/** SQL of `$match`: what a round asks, without all that only writing needs. */
import { type Sql, statement } from '../../platform/db/sql.ts';
import type { SourceRow } from './store.ts';

/** A record that shares a blocking key with the one asked about. */
export interface MatchRow extends Pick<SourceRow, 'source_id' | 'golden_id' | 'version' | 'match_record'> {
  /** Records that carry the fullest of all keys asked for, $2 at most; the same in every row. */
  readonly fullest: number;
}

/**
 * At most $2 records per blocking key, each once. Bound to its indexes as the round's is: by arrays, since a plan made while the
 * tables were empty is kept. The members of a person that share no key with the record asked about cannot resemble it most.
 */
const matchRows = statement<MatchRow>(
  'registry.match',
  `WITH candidate AS MATERIALIZED (
     SELECT wanted.token, found.source_id
     FROM unnest($1::bigint[]) AS wanted(token)
     CROSS JOIN LATERAL (
       SELECT source_id FROM registry.blocking_key AS key WHERE key.token = wanted.token ORDER BY source_id LIMIT $2
     ) AS found
   )
   SELECT source_id, golden_id, version, match_record,
     (SELECT max(carriers) FROM (SELECT count(*)::int AS carriers FROM candidate GROUP BY token) AS key) AS fullest
   FROM registry.source WHERE source_id = ANY(ARRAY(SELECT source_id FROM candidate))`,
);

export function readMatchRows(sql: Sql, tokens: readonly bigint[], perKeyMax: number): Promise<MatchRow[]> {
  return sql.rows(matchRows, [tokens, perKeyMax]);
}
