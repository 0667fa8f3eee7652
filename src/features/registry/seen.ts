/**
 * Which records are in reach, and of which version: asked of rows that fit their binding alone (altered.ts). What is shown of a record
 * is the version that the row names, so that no old row opens what was written since, nor a present one what was before.
 */
import type { ResourceId } from '../../kernel/ids.ts';
import { type Sql, statement } from '../../platform/db/sql.ts';
import type { StoredResource } from '../../store/model.ts';
import { fitting } from './altered.ts';
import { memberOf, MEMBERS } from './golden-binding.ts';
import type { RoundDeps } from './round-loading.ts';
import { REGISTRY_LOCK, type StoredGolden } from './store.ts';
import type { Within } from './within.ts';

/** A record in reach. */
export interface Seen {
  /** The golden record itself, or the one that the source record stands for. */
  readonly goldenId: ResourceId;
  readonly golden: boolean;
  /** The version there is. */
  readonly version: number;
}

// Who is not even said to be in reach need not be looked at further.
const visible = statement<StoredGolden>(
  'registry.visible',
  `SELECT golden_id, version, updated_at, replaced_by, deleted, organisations, shared_with, binding, ${MEMBERS}
   FROM registry.golden AS g WHERE golden_id = ANY(ARRAY(
     SELECT golden_id FROM registry.golden WHERE golden_id = ANY($1::uuid[]) AND organisations && $2::uuid[]
     UNION SELECT golden_id FROM registry.source WHERE source_id = ANY($1::uuid[]) AND domain_id = ANY($3::int[])
   ))`,
);

/** Which of these records, golden or source, are in reach. */
export async function visibleAmong(
  deps: RoundDeps,
  sql: Sql,
  { ids, within }: { readonly ids: readonly ResourceId[]; readonly within: Within },
): Promise<ReadonlyMap<ResourceId, Seen>> {
  const seen = new Map<ResourceId, Seen>();
  if (ids.length === 0 || within.organisations.length === 0) return seen;
  const rows = await sql.rows(visible, [ids, within.organisations, within.domainIds]);
  const asked = new Set(ids);
  for (const { golden_id: goldenId, version, organisations, members } of await fitting(deps, rows)) {
    if (asked.has(goldenId) && organisations.some((id) => within.organisations.includes(id)))
      seen.set(goldenId, { goldenId, golden: true, version });
    for (const member of members.map(memberOf)) {
      if (asked.has(member.id) && within.domainIds.includes(member.domainId))
        seen.set(member.id, { goldenId, golden: false, version: member.version });
    }
  }
  return seen;
}

/** Asks without the registry's lock, and once more with it where the answer does not hold together: then it was no change under way. */
export async function consistently<T>(
  { database }: Pick<RoundDeps, 'database'>,
  ask: (sql: Sql, locked: boolean) => Promise<T | undefined>,
): Promise<T | undefined> {
  const first = await ask(database, false);
  return first ?? (await database.transaction((tx) => ask(tx, true), { lock: REGISTRY_LOCK }));
}

/**
 * Of records read a moment ago those in reach, in their order, as they are now. One of another version than its row says was either
 * written meanwhile, or put there past us.
 */
export async function keepSeen(
  deps: RoundDeps,
  records: readonly StoredResource[],
  within: Within,
): Promise<StoredResource[]> {
  const ids = records.map((record) => record.id);
  const kept = await consistently(deps, async (sql, locked) => {
    const seen = await visibleAmong(deps, sql, { ids, within });
    const present = locked ? [...(await deps.resources.read(sql, 'Patient', [...seen.keys()])).values()] : records;
    const others = present.filter(({ id, version }) => seen.has(id) && seen.get(id)?.version !== version);
    if (others.length > 0 && !locked) return undefined;
    for (const { id } of others) deps.onAltered(seen.get(id)?.goldenId ?? id);
    return new Map(present.filter(({ id, version }) => seen.get(id)?.version === version).map((one) => [one.id, one]));
  });
  return ids.flatMap((id) => kept?.get(id) ?? []);
}
