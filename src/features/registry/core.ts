/** Puts the registry's core together: the write path, reads, searches and `$match`. */
import type { ResourceId } from '../../kernel/ids.ts';
import type { Principal } from '../../kernel/principal.ts';
import { reachOf } from '../../kernel/reach.ts';
import type { StoredResource } from '../../store/model.ts';
import { createChangedPast } from '../audit/index.ts';
import type { RegistryDeps } from './deps.ts';
import { applyTogether } from './apply-together.ts';
import { mergeSources } from './feed-merge.ts';
import { createIdentifierLookup } from './identifier-lookup.ts';
import { createIntake, type Intake } from './intake.ts';
import { createLongWalks } from './long-walks.ts';
import { matchPatient, rankMatches } from './match.ts';
import { createMatchingSeat, type MatchingSeat } from './matching-seat.ts';
import { createReadBatcher } from './read-batcher.ts';
import { keyTokensOf } from './records.ts';
import { createRelatedPersons } from './related-persons.ts';
import type { RoundDeps } from './round-loading.ts';
import { searchRegistry } from './search.ts';
import type { RegistryCore } from './service.ts';
import { createSettling, type Settling } from './settling.ts';
import { patientOf } from './content.ts';
import { readGoldenOf, readSourcesByKey } from './store.ts';
import { carriesKey } from './own-key.ts';
import { boundedReads } from './visibility.ts';

export interface BuiltCore {
  /** The registry as this principal sees it. */
  as(principal: Principal): RegistryCore;
  readonly intake: Intake;
  readonly roundDeps: RoundDeps;
  /** Which model decides; `roundDeps.matcher` and `.records` follow it, a copy (`{ ...roundDeps }`) stays with the one of now. */
  readonly seat: MatchingSeat;
}

export function createCore(given: RegistryDeps): BuiltCore {
  const deps = { ...given, longWalks: given.longWalks ?? createLongWalks() };
  const seat = createMatchingSeat(deps);
  const changedPast = createChangedPast(deps);
  const roundDeps: RoundDeps = {
    ...deps,
    onAltered: (id) => changedPast({ what: 'client', id, patient: `Patient/${id}` }),
    get matcher() {
      return seat.current().matcher;
    },
    get records() {
      return seat.current().records;
    },
  };
  const settling = createSettling(deps);
  // What a process before this one left behind.
  settling.written();
  const intake = withSettling(createIntake(roundDeps), settling);
  const reads = createReadBatcher<ResourceId, StoredResource>(
    (ids) => deps.resources.read(deps.database, 'Patient', ids),
    { inFlightMax: 1, keysMax: 64 },
  );
  const lookup = createIdentifierLookup(deps);
  const core: RegistryCore = {
    submit: (actor, submissions, options = {}) => intake.submit(actor, submissions, options),
    read: (id) => reads.read(id),
    readMany: (ids) => deps.resources.read(deps.database, 'Patient', ids),
    readVersion: (id, version) => deps.resources.readVersion(deps.database, 'Patient', id, version),
    history: (id, page) => deps.resources.history(deps.database, 'Patient', id, page),
    search: async (search) => (await lookup.find(search)) ?? (await searchRegistry(deps, search)),
    match: (patient, options) => matchPatient(roundDeps, patient, options),
    rank: (patient, options) => rankMatches(roundDeps, patient, options),
    async goldenOf(sourceIds) {
      const rows = await readGoldenOf(deps.database, sourceIds);
      return new Map(rows.map((row) => [row.source_id, row.golden_id]));
    },
    findByKey: (system, value) => findByKey(deps, system, value),
    replace: (actor, what) => mergeSources(roundDeps, actor, what),
    applyTogether: (actor, what) => applyTogether({ ...roundDeps }, actor, what),
    related: createRelatedPersons(deps),
  };
  return {
    as: (principal) => (reachOf(principal, 'client.read') === 'all' ? core : boundedReads(roundDeps, core, principal)),
    intake,
    roundDeps,
    seat,
  };
}

function withSettling(intake: Intake, settling: Settling): Intake {
  return { ...intake, submit: (...asked) => intake.submit(...asked).finally(() => settling.written()) };
}

async function findByKey(deps: RegistryDeps, system: string, value: string): Promise<ResourceId | undefined> {
  const domain = (await deps.domains.table()).bySystem(system);
  if (!domain) return undefined;
  const rows = await readSourcesByKey(deps.database, keyTokensOf(deps.keyRing, domain.id, value));
  const stored = await deps.resources.read(
    deps.database,
    'Patient',
    rows.map((row) => row.source_id),
  );
  for (const { source_id } of rows) {
    const content = stored.get(source_id)?.content;
    if (content && carriesKey(patientOf(content), system, value)) return source_id;
  }
  return undefined;
}
