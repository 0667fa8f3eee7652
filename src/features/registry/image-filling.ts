/** Reads a registry into an image: every record is opened once. */
import type { ResourceId } from '../../kernel/ids.ts';
import { type Sql, statement } from '../../platform/db/sql.ts';
import { domainsOf, isWhole } from './altered.ts';
import { createImage, type Image } from './image.ts';
import { loadRound, type RoundDeps } from './round-loading.ts';
import { readRound } from './round-store.ts';
import { estimateSources } from './store.ts';

const NIL = '00000000-0000-0000-0000-000000000000' as ResourceId;
const PAGE = 1_000;

const nextIds = statement<{ source_id: ResourceId }>(
  'registry.image-next',
  'SELECT source_id FROM registry.source WHERE source_id > $1 ORDER BY source_id LIMIT $2',
);
const decided = statement<{ some: boolean }>(
  'registry.image-decided',
  `SELECT EXISTS (SELECT FROM registry.never_link) OR EXISTS (SELECT FROM registry.former_record) AS some`,
);

/** Whether a steward has kept anybody apart, or a record with a decision was deleted: an image does not hold that. */
export async function hasDecisions(sql: Sql): Promise<boolean> {
  return (await sql.rows(decided))[0]?.some !== false;
}

/** About what a record takes in an image, for choosing. */
export const IMAGE_BYTES_PER_RECORD = 700;

interface Filling {
  readonly recordsMax: number;
  readonly signal?: AbortSignal;
  /** Told how many records have been read, of about how many. */
  readonly onReading?: (done: number, of: number) => void;
}

/**
 * All records in the order of their ids, which is the one in which candidates are cut. `undefined` where there are more than
 * `recordsMax`, or the signal ends it.
 */
export async function fillImage(
  deps: RoundDeps,
  { recordsMax, signal, onReading }: Filling,
): Promise<Image | undefined> {
  const image = createImage(deps.matcher);
  const about = onReading === undefined ? 0 : await estimateSources(deps.database);
  for (let after = NIL; ; ) {
    const page = (await deps.database.rows(nextIds, [after, PAGE])).map((row) => row.source_id);
    if (image.records + page.length > recordsMax || signal?.aborted) return undefined;
    if (!(await addRecords(deps, image, page))) return undefined;
    const last = page.at(-1);
    if (last === undefined) return image;
    after = last;
    onReading?.(image.records, Math.max(about, image.records));
  }
}

/** Reads records as they stand now, and the rows of their persons. False where somebody has changed one of these past Careseal. */
export async function addRecords(deps: RoundDeps, image: Image, ids: readonly ResourceId[]): Promise<boolean> {
  if (ids.length === 0) return true;
  const wanted = new Set(ids);
  const found = await readRound(deps.database, { tokens: [], perKeyMax: 0, ids, keys: [] });
  const state = loadRound(deps, { ...found, existing: [] });
  const domains = await domainsOf(
    deps,
    found.known.map((row) => row.domain_id),
  );
  for (const golden of state.goldens.values()) if (!isWhole(deps, state, golden, domains)) return false;
  const sources = [...state.sources.values()].filter(({ id }) => wanted.has(id));
  for (const source of sources.sort((x, y) => (x.id < y.id ? -1 : 1))) {
    const { id, goldenId, domainId, keyToken, version, pinned, record } = source;
    const tokens = [...new Set(deps.records.blindKeys(source.prepared))];
    image.add({ id, goldenId, domainId, keyToken, version, pinned, record, tokens });
  }
  for (const { id, storedVersion, sharedWith } of state.goldens.values()) {
    image.setGolden({ id, version: storedVersion, sharedWith });
  }
  return true;
}
