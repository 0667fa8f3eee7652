/** The rows and contents of one person, as they fit together. */
import type { ResourceId } from '../../kernel/ids.ts';
import type { Sql } from '../../platform/db/sql.ts';
import type { StoredResource } from '../../store/model.ts';
import { fitting } from './altered.ts';
import type { RoundDeps } from './round-loading.ts';
import { consistently } from './seen.ts';
import { readGoldens, readSourcesOfGoldens, type SourceRow, type StoredGolden } from './store.ts';
import type { Within } from './within.ts';

export interface Person {
  readonly golden: StoredGolden;
  readonly sources: readonly SourceRow[];
  /** Of the golden record and of its sources. */
  readonly contents: ReadonlyMap<ResourceId, StoredResource>;
}

interface Answer {
  readonly person?: Person;
}
const NOBODY: Answer = {};

/**
 * Undefined where there is none, or none in reach. People of bounded reach are shown nothing whose rows do not fit their binding and
 * each other: a record that was put beside this person in the database would be shown with it.
 */
export async function readPerson(
  deps: RoundDeps,
  id: ResourceId,
  within: Within | undefined,
): Promise<Person | undefined> {
  if (within === undefined) return (await readAll(deps, deps.database, id)).person;
  const answer = await consistently(deps, async (sql, locked) => {
    const found = await readAll(deps, sql, id);
    if (found.person === undefined || !isSeen(found.person, within)) return NOBODY;
    if ((await fitting(deps, [found.person.golden])).length === 0) return NOBODY;
    if (isOneState(found.person)) return found;
    if (!locked) return undefined;
    deps.onAltered(id);
    return NOBODY;
  });
  return answer?.person;
}

async function readAll({ resources }: RoundDeps, sql: Sql, id: ResourceId): Promise<Answer> {
  const [golden] = await readGoldens(sql, [id]);
  if (golden === undefined) return NOBODY;
  const sources = await readSourcesOfGoldens(sql, [id]);
  const contents = await resources.read(sql, 'Patient', [id, ...sources.map((row) => row.source_id)]);
  return { person: { golden, sources, contents } };
}

const isSeen = ({ golden }: Person, { organisations }: Within): boolean =>
  golden.organisations.some((id) => organisations.includes(id));

/** They were read one after the other: all of one moment, of the versions that the rows name. */
function isOneState({ golden, sources, contents }: Person): boolean {
  const members = new Set(golden.members);
  return (
    contents.get(golden.golden_id)?.version === golden.version &&
    sources.length === members.size &&
    sources.every(
      ({ source_id: id, domain_id: domainId, version }) =>
        members.has(`${id}:${domainId}:${version}`) && contents.get(id)?.version === version,
    )
  );
}
