/** SQL of the quality page: counts over the whole registry, and the sample of links that people look at again. */
import type { Branded, ResourceId, UserId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import { SOURCE_COLUMNS, type SourceRow } from './store.ts';

export type LinkCheckId = Branded<'LinkCheckId'>;
export type LinkVerdict = 'right' | 'wrong' | 'unsure' | 'gone';

export interface LinkCheckRow {
  readonly check_id: LinkCheckId;
  readonly a: ResourceId;
  readonly b: ResourceId;
  readonly verdict: LinkVerdict | null;
}

const bySource = statement<{ domain_id: number; records: number; linked: number }>(
  'registry.quality-by-source',
  `SELECT s.domain_id, count(*)::int AS records, count(*) FILTER (WHERE g.members > 1)::int AS linked
   FROM registry.source s JOIN (SELECT golden_id, count(*) AS members FROM registry.source GROUP BY golden_id) g USING (golden_id)
   GROUP BY s.domain_id ORDER BY records DESC`,
);
/** Waiting reviews by age in days: under 1, under 7, under 30, older. */
const byAge = statement<{ day: number; week: number; month: number; older: number }>(
  'registry.quality-by-age',
  `SELECT count(*) FILTER (WHERE created_at > $1::timestamptz - interval '1 day')::int AS day,
          count(*) FILTER (WHERE created_at <= $1::timestamptz - interval '1 day' AND created_at > $1::timestamptz - interval '7 days')::int AS week,
          count(*) FILTER (WHERE created_at <= $1::timestamptz - interval '7 days' AND created_at > $1::timestamptz - interval '30 days')::int AS month,
          count(*) FILTER (WHERE created_at <= $1::timestamptz - interval '30 days')::int AS older
   FROM registry.review WHERE state <> 'decided'`,
);
const randomSources = statement<SourceRow>(
  'registry.quality-random-sources',
  `SELECT ${SOURCE_COLUMNS} FROM registry.source TABLESAMPLE BERNOULLI ($1) LIMIT $2`,
);
const linkedLately = statement<{ a: ResourceId; b: ResourceId }>(
  'registry.quality-linked-lately',
  `SELECT l.source_id AS a, l.other_source_id AS b FROM registry.ledger l
     JOIN registry.source x ON x.source_id = l.source_id JOIN registry.source y ON y.source_id = l.other_source_id
   WHERE l.kind = 'linked' AND l.other_source_id IS NOT NULL AND l.at >= $1 AND x.golden_id = y.golden_id
     AND NOT x.pinned AND NOT EXISTS (SELECT FROM registry.link_check c WHERE c.a = l.source_id AND c.b = l.other_source_id)
   ORDER BY random() LIMIT $2`,
);
const insertChecks = statement(
  'registry.quality-insert-checks',
  `INSERT INTO registry.link_check (check_id, a, b, model_version, drawn_at)
   SELECT c.id, c.a, c.b, $4, $5 FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS c(id, a, b) ON CONFLICT DO NOTHING`,
);
const nextCheck = statement<LinkCheckRow>(
  'registry.quality-next-check',
  'SELECT check_id, a, b, verdict FROM registry.link_check WHERE verdict IS NULL ORDER BY check_id LIMIT 1',
);
const judge = statement(
  'registry.quality-judge',
  'UPDATE registry.link_check SET verdict = $2, judged_by = $3, judged_at = $4 WHERE check_id = $1 AND verdict IS NULL',
);
const verdicts = statement<{ month: string; right: number; wrong: number; unsure: number }>(
  'registry.quality-verdicts',
  `SELECT to_char(judged_at AT TIME ZONE 'UTC', 'YYYY-MM') AS month, count(*) FILTER (WHERE verdict = 'right')::int AS right,
          count(*) FILTER (WHERE verdict = 'wrong')::int AS wrong, count(*) FILTER (WHERE verdict = 'unsure')::int AS unsure
   FROM registry.link_check WHERE verdict IS NOT NULL AND verdict <> 'gone' GROUP BY 1 ORDER BY 1 DESC LIMIT 24`,
);
const waitingChecks = statement<{ n: number }>(
  'registry.quality-waiting',
  'SELECT count(*)::int AS n FROM registry.link_check WHERE verdict IS NULL',
);

export const qualityStore = {
  bySource: (sql: Sql) => sql.rows(bySource),
  async byAge(sql: Sql, now: Date) {
    return (await sql.rows(byAge, [now]))[0] ?? { day: 0, week: 0, month: 0, older: 0 };
  },
  /** Some records by chance, `percent` of all, at most `limit`. */
  randomSources: (sql: Sql, percent: number, limit: number) => sql.rows(randomSources, [percent, limit]),
  linkedLately: (sql: Sql, since: Date, limit: number) => sql.rows(linkedLately, [since, limit]),
  async insertChecks(
    tx: Transaction,
    checks: readonly Pick<LinkCheckRow, 'check_id' | 'a' | 'b'>[],
    made: { readonly modelVersion: string; readonly at: Date },
  ): Promise<void> {
    const column = <K extends 'check_id' | 'a' | 'b'>(name: K) => checks.map((one) => one[name]);
    await tx.run(insertChecks, [column('check_id'), column('a'), column('b'), made.modelVersion, made.at]);
  },
  async next(sql: Sql): Promise<LinkCheckRow | undefined> {
    return (await sql.rows(nextCheck))[0];
  },
  async judge(
    tx: Transaction,
    id: LinkCheckId,
    made: { readonly verdict: LinkVerdict; readonly by: UserId | undefined; readonly at: Date },
  ): Promise<boolean> {
    return (await tx.run(judge, [id, made.verdict, made.by ?? null, made.at])) === 1;
  },
  verdicts: (sql: Sql) => sql.rows(verdicts),
  async waiting(sql: Sql): Promise<number> {
    return (await sql.rows(waitingChecks))[0]?.n ?? 0;
  },
} as const;
