/**
 * What a dry run would have written so far. Each batch of it is decided in a transaction of its own that writes nothing, since one
 * long transaction would hold everybody else up; here is what the batches before would have left, so that the next one sees it.
 */
import type { Patient } from '@medplum/fhirtypes';
import type { ResourceId } from '../../kernel/ids.ts';
import type { MatchRecord } from '../matching/index.ts';
import type { RoundState, SourceState } from './batch-state.ts';
import type { Matcher } from './matcher.ts';

/** Records kept, about 2 KB each. Beyond it the oldest are forgotten: links to them are then not counted. */
const KEPT_MAX = 50_000;

/** What a submission is found by. */
interface Looking {
  readonly content?: { readonly lookupTokens: readonly bigint[] } | undefined;
  readonly keyTokens: readonly bigint[];
}

type KeptPart = Pick<SourceState, 'id' | 'goldenId' | 'domainId' | 'keyToken' | 'storedVersion' | 'version' | 'pinned'>;

/** A record as text, made into one again when a later batch meets it. */
interface Kept extends KeptPart {
  readonly record: string;
  readonly patient: string | undefined;
  readonly tokens: BigInt64Array;
  readonly lastUpdatedMs: number;
}

interface KeptGolden {
  readonly members: Set<ResourceId>;
  /** A member that stands in the database: through it the others there are found. */
  anchor?: ResourceId;
}

/** To be made by `createRehearsal` once per dry run and handed over with each of its batches. */
export interface Rehearsal {
  /** Records in the database whose persons a batch must know because records kept here have joined them. */
  anchors(works: readonly Looking[]): readonly ResourceId[];
  /** The record kept here that has this own identifier. */
  named(keyTokens: readonly bigint[]): ResourceId | undefined;
  /** Puts what was kept where deciding looks for it. */
  enter(state: RoundState, works: readonly Looking[], matcher: Pick<Matcher, 'prepare'>): void;
  /** Keeps what a round decided. */
  keep(state: RoundState): void;
}

export function createRehearsal(keptMax = KEPT_MAX): Rehearsal {
  const index = createIndex(keptMax);

  /** Persons of whom records kept here are meant by submissions or share a blocking key with them; and these others. */
  function around(works: readonly Looking[], also: Iterable<ResourceId> = []): Set<ResourceId> {
    const persons = new Set<ResourceId>(also);
    for (const { content, keyTokens } of works) {
      for (const token of content?.lookupTokens ?? [])
        for (const one of index.carrying(token)) persons.add(one.goldenId);
      const named = index.named(keyTokens);
      if (named) persons.add(named.goldenId);
    }
    return persons;
  }

  return {
    anchors: (works) => [...around(works)].flatMap((id) => index.person(id).anchor ?? []),
    named: (keyTokens) => index.named(keyTokens)?.id,
    enter(state, works, matcher) {
      for (const person of around(works, state.goldens.keys())) {
        for (const one of index.membersOf(person)) {
          const stored = state.sources.get(one.id);
          // A batch before this one would have changed it.
          if (stored) state.golden(stored.goldenId).members.delete(one.id);
          state.add(sourceOf(one, matcher));
          state.index([...one.tokens], one.id);
        }
      }
    },
    keep(state) {
      for (const source of state.sources.values()) {
        if (source.change === 'deleted') index.forget(source.id);
        else if (source.change !== 'none') index.remember(keptOf(source));
      }
      for (const golden of state.goldens.values()) {
        if (!golden.touched) continue;
        const anchor = [...golden.members].find((id) => !index.has(id));
        if (anchor !== undefined) index.person(golden.id).anchor ??= anchor;
      }
    },
  };
}

/** Kept records by what they are found by. */
function createIndex(keptMax: number) {
  const kept = new Map<ResourceId, Kept>();
  const persons = new Map<ResourceId, KeptGolden>();
  const byToken = new Map<bigint, Set<ResourceId>>();
  const byKey = new Map<bigint, ResourceId>();
  const opened = (ids: Iterable<ResourceId>): Kept[] => [...ids].flatMap((id) => kept.get(id) ?? []);

  function person(id: ResourceId): KeptGolden {
    const known = persons.get(id) ?? { members: new Set() };
    persons.set(id, known);
    return known;
  }

  function forget(id: ResourceId): void {
    const known = kept.get(id);
    if (known === undefined) return;
    kept.delete(id);
    person(known.goldenId).members.delete(id);
    for (const token of known.tokens) {
      const ids = byToken.get(token);
      ids?.delete(id);
      if (ids?.size === 0) byToken.delete(token);
    }
    if (known.keyToken !== null && byKey.get(known.keyToken) === id) byKey.delete(known.keyToken);
  }

  function remember(one: Kept): void {
    forget(one.id);
    const oldest = kept.size >= keptMax ? kept.keys().next().value : undefined;
    if (oldest !== undefined) forget(oldest);
    kept.set(one.id, one);
    person(one.goldenId).members.add(one.id);
    for (const token of one.tokens) byToken.set(token, (byToken.get(token) ?? new Set()).add(one.id));
    if (one.keyToken !== null) byKey.set(one.keyToken, one.id);
  }

  return {
    has: (id: ResourceId) => kept.has(id),
    person,
    forget,
    remember,
    carrying: (token: bigint) => opened(byToken.get(token) ?? []),
    membersOf: (id: ResourceId) => opened(persons.get(id)?.members ?? []),
    named: (keyTokens: readonly bigint[]) => opened(keyTokens.flatMap((token) => byKey.get(token) ?? []))[0],
  };
}

function keptOf(source: SourceState): Kept {
  const { id, goldenId, domainId, keyToken, storedVersion, version, pinned, lastUpdatedMs, patient } = source;
  return {
    id,
    goldenId,
    domainId,
    keyToken,
    storedVersion,
    version,
    pinned,
    lastUpdatedMs,
    record: JSON.stringify(source.record),
    patient: patient && JSON.stringify(patient),
    tokens: BigInt64Array.from(source.tokens ?? []),
  };
}

function sourceOf({ record: text, patient, tokens, ...rest }: Kept, matcher: Pick<Matcher, 'prepare'>): SourceState {
  // Both texts were written by keptOf.
  const record = JSON.parse(text) as MatchRecord;
  return {
    ...rest,
    record,
    prepared: matcher.prepare(record),
    storedTokens: undefined,
    tokens: [...tokens],
    patient: patient === undefined ? undefined : (JSON.parse(patient) as Patient),
    change: 'none',
  };
}
