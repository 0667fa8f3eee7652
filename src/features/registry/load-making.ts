/**
 * The part of a load's round that needs no registry: contents, search terms, seals, rows laid out for PostgreSQL. Everything goes in and
 * comes out as plain values and bytes, so that another thread can do it while the next group is decided.
 */
import type { Patient } from '@medplum/fhirtypes';
import type { ResourceId } from '../../kernel/ids.ts';
import { packWrites, type PackedWrites, type ResourceWrite } from '../../store/index.ts';
import type { PendingLedgerEntry, RoundState } from './batch-state.ts';
import { storedContent } from './content.ts';
import type { RegistryDeps } from './deps.ts';
import { goldenOf } from './golden.ts';
import { sealLedgerEntry } from './ledger.ts';
import { encodeRecord } from '../matching/index.ts';
import { packNew } from './packed-rows.ts';
import { sealMatchRecord } from './records.ts';
import type { RoundMaker } from './round-maker.ts';
import type { NewReview } from './round-store.ts';
import type { RoundReady } from './round-writing.ts';
import type { GoldenRow, SourceRow } from './store.ts';
import type { Member } from './survivorship.ts';

export interface RoundToMake {
  readonly nowMs: number;
  /** JSON of an array of Patients: the new records, then members of their persons that were there. */
  readonly patients: string;
  readonly sources: readonly (Omit<SourceRow, 'match_record'> & { readonly record: string })[];
  readonly others: readonly { readonly id: ResourceId; readonly lastUpdatedMs: number }[];
  readonly goldens: readonly { readonly row: GoldenRow; readonly members: readonly ResourceId[] }[];
  readonly keys: BigInt64Array;
  readonly keySources: Uint16Array;
  readonly ledger: readonly PendingLedgerEntry[];
  readonly reviews: readonly NewReview[];
}

/** Parameters of the statements that write the round. */
export interface PackedRound {
  readonly writes: PackedWrites;
  readonly rows: readonly Uint8Array[];
}

type MakingDeps = Pick<RegistryDeps, 'termsOf' | 'keyRing'>;

/** What goes over to the maker. */
export function toMake(state: RoundState, ready: RoundReady, nowMs: number): RoundToMake {
  const { sources, goldens, goldenRows, reviews } = ready;
  const own = new Set(sources);
  const others = goldens
    .flatMap(({ members }) => [...members].flatMap((id) => state.sources.get(id) ?? []))
    .filter((source) => !own.has(source));
  const tokens = sources.map((source) => [...new Set(source.tokens)]);
  const keySources = Uint16Array.from(tokens.flatMap((list, at) => list.map(() => at)));
  return {
    nowMs,
    patients: JSON.stringify([...sources, ...others].map(({ patient }) => patient)),
    sources: sources.map(({ id, goldenId, domainId, keyToken, version, pinned, record }) => ({
      ...{ source_id: id, golden_id: goldenId, domain_id: domainId, key_token: keyToken, version, pinned },
      record: encodeRecord(record),
    })),
    others: others.map(({ id, lastUpdatedMs }) => ({ id, lastUpdatedMs })),
    goldens: goldenRows.map((row, at) => ({ row, members: [...(goldens[at]?.members ?? [])] })),
    keys: BigInt64Array.from(tokens.flat()),
    keySources,
    ledger: state.ledger,
    reviews,
  };
}

export function makePacked(deps: MakingDeps, round: RoundToMake): PackedRound {
  const { nowMs, sources, others, goldens, reviews, keys, keySources } = round;
  // Written by `toMake` from Patients that were validated or opened.
  const patients = JSON.parse(round.patients) as Patient[];
  const members = new Map<ResourceId, Member>();
  const add = (sourceId: ResourceId, at: number, lastUpdatedMs: number) => {
    const patient = patients[at];
    if (patient === undefined) throw new Error('a member of a golden record was not handed over');
    members.set(sourceId, { sourceId, lastUpdatedMs, patient });
  };
  sources.forEach(({ source_id }, at) => add(source_id, at, nowMs));
  others.forEach(({ id, lastUpdatedMs }, at) => add(id, sources.length + at, lastUpdatedMs));
  const own = sources.map(({ source_id: id, version }): ResourceWrite => {
    const patient = members.get(id)?.patient as Patient;
    const content = storedContent(patient, { id, version, lastUpdatedMs: nowMs, kind: 'source' });
    // Found through their golden record, which carries the union.
    return { type: 'Patient', id, version, lastUpdatedMs: nowMs, content, tokens: [] };
  });
  const united = goldens.map(({ row, members: ids }) =>
    goldenOf(deps, {
      ...{ id: row.golden_id, version: row.version, lastUpdatedMs: nowMs, organisations: row.organisations },
      members: ids.map((id) => members.get(id) as Member),
    }),
  );
  return {
    writes: packWrites(deps.keyRing, [...own, ...united]),
    rows: packNew({
      sources: sources.map(({ record, ...row }) => ({
        ...row,
        match_record: sealMatchRecord(deps.keyRing, row, record),
      })),
      goldens: goldens.map(({ row }) => row),
      ledger: round.ledger.map((entry) => sealLedgerEntry(deps.keyRing, entry, nowMs)),
      ...{ reviews, keys, keySources },
    }),
  };
}

/** In this thread. */
export const createMaker = (deps: MakingDeps): RoundMaker => ({
  // What `toMake` made.
  make: async (round) => makePacked(deps, round as RoundToMake),
  end: async () => undefined,
});
