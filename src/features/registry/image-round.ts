/** A round decided on the image instead of on what the database answers, and what it leaves in the image. */
import type { Patient } from '@medplum/fhirtypes';
import type { ResourceId } from '../../kernel/ids.ts';
import { RoundState, type SourceState } from './batch-state.ts';
import { CANDIDATES_PER_KEY_MAX } from './bounds.ts';
import type { Image } from './image.ts';
import type { Work } from './work.ts';

/** A record that was written lately: not to be read from the database, where it may not be yet. */
export interface RecentPatient {
  readonly patient: Patient;
  readonly lastUpdatedMs: number;
}

/** What `findRound` and `loadRound` would bring together: candidates by key, and everybody these are linked with. */
export function roundFromImage(
  image: Image,
  works: readonly Work[],
  recent: ReadonlyMap<ResourceId, RecentPatient>,
): RoundState {
  const state = new RoundState();
  const persons = new Set<number>();
  const ids = new Map<number, ResourceId>();
  // Most candidates are found by several keys.
  const idOf = (record: number): ResourceId => {
    let id = ids.get(record);
    if (id === undefined) ids.set(record, (id = image.idOf(record)));
    return id;
  };
  for (const { content } of works) {
    for (const token of content?.lookupTokens ?? []) {
      if (state.byToken.has(token)) continue;
      const found = image.carriers(token, CANDIDATES_PER_KEY_MAX + 1);
      if (found.length > CANDIDATES_PER_KEY_MAX) {
        state.cutTokens.add(token);
        found.length = CANDIDATES_PER_KEY_MAX;
      }
      for (const record of found) persons.add(image.goldenOf(record));
      state.byToken.set(token, found.map(idOf));
    }
  }
  for (const person of persons) addPerson(image, state, { person, recent });
  return state;
}

interface Adding {
  readonly person: number;
  readonly recent: ReadonlyMap<ResourceId, RecentPatient>;
}

function addPerson(image: Image, state: RoundState, { person, recent }: Adding): void {
  const { id, version, sharedWith, members } = image.golden(person);
  for (const member of members) {
    const { version: stored, ...opened } = image.open(member);
    const lately = recent.get(opened.id);
    state.add({
      ...opened,
      storedVersion: stored,
      version: stored,
      storedTokens: undefined,
      tokens: undefined,
      patient: lately?.patient,
      lastUpdatedMs: lately?.lastUpdatedMs ?? 0,
      change: 'none',
    });
  }
  Object.assign(state.golden(id), { known: true, storedVersion: version, sharedWith });
}

/** Keeps what a round of new records makes. Right only if it is written. `texts`: the records as `encodeRecord` made them. */
export function keepInImage(image: Image, state: RoundState, texts: ReadonlyMap<ResourceId, string>): SourceState[] {
  const written: SourceState[] = [];
  for (const source of state.sources.values()) {
    if (source.change !== 'written') continue;
    const { id, goldenId, domainId, keyToken, version, pinned, record, tokens } = source;
    const text = texts.get(id);
    image.add({ id, goldenId, domainId, keyToken, version, pinned, record, text, tokens: [...new Set(tokens)] });
    written.push(source);
  }
  for (const { id, touched, storedVersion, sharedWith } of state.goldens.values()) {
    if (touched) image.setGolden({ id, version: storedVersion + 1, sharedWith });
  }
  return written;
}
