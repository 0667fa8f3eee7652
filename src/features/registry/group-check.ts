/** Looks for people whose records may not belong together: contradictions inside, strangers held by one record, weak links. Reads only. */
import type { ResourceId } from '../../kernel/ids.ts';
import { statement } from '../../platform/db/sql.ts';
import { checkGroup, type GroupFault } from './group-rules.ts';
import type { RoundDeps } from './round-loading.ts';
import { readSourcesOfGoldens } from './store.ts';

const NIL = '00000000-0000-0000-0000-000000000000';
const severalRecords = statement<{ readonly golden_id: ResourceId; readonly records: number }>(
  'registry.groups-next',
  `SELECT golden_id, count(*)::int AS records FROM registry.source WHERE golden_id > $1
   GROUP BY golden_id HAVING count(*) > 1 ORDER BY golden_id LIMIT $2`,
);
/** Larger groups are reported by their size alone: to compare all with all would take too long. */
const COMPARED_MAX = 100;
export const GROUP_EXAMPLES_MAX = 50;

export interface GroupTally {
  groups: number;
  records: number;
  largest: number;
  /** By size: 2, 3, 4, 5–9, 10–19, 20 and more. */
  readonly sizes: number[];
  readonly faults: Record<GroupFault['kind'], number>;
  readonly examples: { readonly goldenId: ResourceId; readonly size: number; readonly fault: GroupFault }[];
}

export const newGroupTally = (): GroupTally => ({
  ...{ groups: 0, records: 0, largest: 0, sizes: [0, 0, 0, 0, 0, 0] },
  faults: { contradiction: 0, chain: 0, 'weak-link': 0, 'too-large': 0 },
  examples: [],
});

export async function checkGroups(
  live: RoundDeps,
  batch: { readonly after: ResourceId | undefined; readonly limit: number; readonly tally: GroupTally },
): Promise<ResourceId | undefined> {
  const deps = { ...live };
  const { tally } = batch;
  const groups = await deps.database.rows(severalRecords, [batch.after ?? NIL, batch.limit]);
  const comparable = groups.filter(({ records }) => records <= COMPARED_MAX).map((row) => row.golden_id);
  const sources = (await readSourcesOfGoldens(deps.database, comparable)).map((row) => deps.records.open(row));
  const byGolden = Map.groupBy(sources, (source) => source.goldenId);
  for (const { golden_id: goldenId, records } of groups) {
    tally.groups++;
    tally.records += records;
    tally.largest = Math.max(tally.largest, records);
    const place = sizePlace(records);
    tally.sizes[place] = (tally.sizes[place] ?? 0) + 1;
    const members = byGolden.get(goldenId) ?? [];
    const prepared = new Map(members.map((one) => [one.id, one.prepared]));
    const fault: GroupFault | undefined =
      records > COMPARED_MAX
        ? { kind: 'too-large' }
        : checkGroup(members, (a, b) => {
            const [left, right] = [prepared.get(a), prepared.get(b)];
            if (!left || !right) throw new Error('a group was checked by records that are not its members');
            return deps.matcher.compare(left, right);
          });
    if (!fault) continue;
    tally.faults[fault.kind]++;
    if (tally.examples.length < GROUP_EXAMPLES_MAX) tally.examples.push({ goldenId, size: records, fault });
  }
  return groups.length < batch.limit ? undefined : groups.at(-1)?.golden_id;
}

function sizePlace(records: number): number {
  if (records < 5) return records - 2;
  if (records < 10) return 3;
  return records < 20 ? 4 : 5;
}
