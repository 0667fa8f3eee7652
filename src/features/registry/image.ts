/**
 * All that deciding about new records needs of a registry, in this process's memory: blind keys, what matching compares, who belongs to
 * whom. Some 700 bytes a record. Right for as long as nobody else changes the registry; `load-session.ts` sees to that.
 */
import type { OrganisationId, ResourceId } from '../../kernel/ids.ts';
import { decodeRecord, encodeRecord, type MatchRecord } from '../matching/index.ts';
import { createTexts, createTokenLists, grown } from './image-tables.ts';
import type { Matcher, PreparedRecord } from './matcher.ts';

export interface ImageRecord {
  readonly id: ResourceId;
  readonly goldenId: ResourceId;
  readonly domainId: number;
  readonly keyToken: bigint | null;
  readonly version: number;
  readonly pinned: boolean;
  readonly record: MatchRecord;
  readonly tokens: readonly bigint[];
}

/** A record as it is asked for: opened and prepared. */
export interface OpenedRecord extends Omit<ImageRecord, 'tokens'> {
  readonly prepared: PreparedRecord;
}

export interface ImageGolden {
  readonly id: ResourceId;
  readonly version: number;
  readonly sharedWith: readonly OrganisationId[];
  /** Numbers of its records, in the order they came. */
  readonly members: readonly number[];
}

export interface Image {
  readonly records: number;
  /** Memory outside the heap. */
  readonly bytes: number;
  /** Of a record that is there already, the former state is forgotten. */
  add(record: ImageRecord): void;
  setGolden(golden: Omit<ImageGolden, 'members'>): void;
  /** Numbers of records that carry the blocking key, in order of their ids, `limit` at most. */
  carriers(token: bigint, limit: number): number[];
  /** The record that the own identifier names. */
  byKey(token: bigint): number | undefined;
  idOf(record: number): ResourceId;
  goldenOf(record: number): number;
  golden(golden: number): ImageGolden;
  open(record: number): OpenedRecord;
}

/** Prepared records kept, some 4 kB each. */
const PREPARED_MAX = 10_000;
const NONE = -1;
const PINNED = 1;
const DEAD = 2;

export function createImage(matcher: Matcher): Image {
  const keys = createTokenLists();
  const own = createTokenLists();
  const texts = createTexts();
  const ids = createTexts();
  const goldenIds = createTexts();
  const prepared = createPrepared(matcher);
  let [goldenNumbers, domains, versions, following] = columns();
  let flags = new Uint8Array(1024);
  let ownTokens = new BigInt64Array(1024);
  let [goldenVersions, firstMembers, lastMembers] = columns();
  let records = 0;
  let goldens = 0;
  const shared = new Map<number, readonly OrganisationId[]>();
  // Few ids are looked up by text: those of records that changed, and of persons that a new record joins.
  const numbers = createIdNumbers();

  const goldenNumber = (id: ResourceId): number => {
    const known = numbers.golden(id, (number) => goldenIds.at(number));
    if (known !== undefined) return known;
    goldenVersions = grown(goldenVersions, goldens + 1);
    firstMembers = grown(firstMembers, goldens + 1);
    lastMembers = grown(lastMembers, goldens + 1);
    goldenVersions[goldens] = 0;
    firstMembers[goldens] = lastMembers[goldens] = NONE;
    goldenIds.add(id);
    numbers.addGolden(id, goldens);
    return goldens++;
  };
  const isDead = (record: number) => ((flags[record] as number) & DEAD) !== 0;
  const keep = (one: ImageRecord, golden: number): void => {
    const size = records + 1;
    goldenNumbers = grown(goldenNumbers, size);
    domains = grown(domains, size);
    versions = grown(versions, size);
    following = grown(following, size);
    flags = grown(flags, size);
    ownTokens = grown(ownTokens, size);
    goldenNumbers[records] = golden;
    domains[records] = one.domainId;
    versions[records] = one.version;
    following[records] = NONE;
    flags[records] = one.pinned ? PINNED : 0;
    ownTokens[records] = one.keyToken ?? 0n;
  };
  return {
    get records() {
      return records;
    },
    get bytes() {
      const columnBytes = records * (4 * 4 + 1 + 8) + goldens * 12;
      return keys.bytes + own.bytes + texts.bytes + ids.bytes + goldenIds.bytes + numbers.bytes + columnBytes;
    },
    add(one) {
      const former = numbers.record(one.id, (number) => ids.at(number));
      if (former !== undefined) flags[former] = (flags[former] as number) | DEAD;
      const golden = goldenNumber(one.goldenId);
      keep(one, golden);
      texts.add(encodeRecord(one.record));
      ids.add(one.id);
      numbers.addRecord(one.id, records);
      for (const token of one.tokens) keys.add(token, records);
      if (one.keyToken !== null) own.add(one.keyToken, records);
      if (firstMembers[golden] === NONE) firstMembers[golden] = records;
      else following[lastMembers[golden] as number] = records;
      lastMembers[golden] = records++;
    },
    setGolden({ id, version, sharedWith }) {
      const golden = goldenNumber(id);
      goldenVersions[golden] = version;
      if (sharedWith.length > 0) shared.set(golden, sharedWith);
      else shared.delete(golden);
    },
    carriers(token, limit) {
      const found: number[] = [];
      keys.each(token, (record) => {
        if (!isDead(record)) found.push(record);
        return found.length < limit;
      });
      return found;
    },
    byKey(token) {
      let found: number | undefined;
      own.each(token, (record) => {
        if (!isDead(record)) found = record;
        return found === undefined;
      });
      return found;
    },
    idOf: (record) => ids.at(record) as ResourceId,
    goldenOf: (record) => goldenNumbers[record] as number,
    golden(golden) {
      const members: number[] = [];
      for (let at = firstMembers[golden] as number; at !== NONE; at = following[at] as number) {
        if (!isDead(at)) members.push(at);
      }
      return {
        id: goldenIds.at(golden) as ResourceId,
        version: goldenVersions[golden] as number,
        sharedWith: shared.get(golden) ?? [],
        members,
      };
    },
    open(record) {
      const keyToken = ownTokens[record] as bigint;
      return {
        id: ids.at(record) as ResourceId,
        goldenId: goldenIds.at(goldenNumbers[record] as number) as ResourceId,
        domainId: domains[record] as number,
        keyToken: keyToken === 0n ? null : keyToken,
        version: versions[record] as number,
        pinned: ((flags[record] as number) & PINNED) !== 0,
        ...prepared(record, () => texts.at(record)),
      };
    },
  };
}

const columns = () =>
  Array.from({ length: 4 }, () => new Int32Array(1024)) as [Int32Array, Int32Array, Int32Array, Int32Array];

interface Prepared {
  readonly record: MatchRecord;
  readonly prepared: PreparedRecord;
}

/** Two halves, the older of which goes when the newer is full, as in records.ts. */
function createPrepared(matcher: Matcher): (record: number, text: () => string) => Prepared {
  let newer = new Map<number, Prepared>();
  let older = new Map<number, Prepared>();
  return (number, text) => {
    const known = newer.get(number) ?? older.get(number);
    if (known !== undefined) return known;
    const record = decodeRecord(text());
    const fresh = { record, prepared: matcher.prepare(record) };
    if (newer.size >= PREPARED_MAX / 2) {
      older = newer;
      newer = new Map();
    }
    newer.set(number, fresh);
    return fresh;
  };
}

/** Numbers by id. The hash of an id is its last 60 bits, which are random; the text decides. */
function createIdNumbers() {
  const [records, goldens] = [createTokenLists(), createTokenLists()];
  const hash = (id: ResourceId) => BigInt(`0x${id.slice(24)}`);
  const find = (list: typeof records, id: ResourceId, textOf: (number: number) => string): number | undefined => {
    let found: number | undefined;
    // The newest state of a record is the last one added.
    list.each(hash(id), (number) => {
      if (textOf(number) === id) found = number;
      return true;
    });
    return found;
  };
  return {
    get bytes() {
      return records.bytes + goldens.bytes;
    },
    record: (id: ResourceId, textOf: (number: number) => string) => find(records, id, textOf),
    golden: (id: ResourceId, textOf: (number: number) => string) => find(goldens, id, textOf),
    addRecord: (id: ResourceId, number: number) => records.add(hash(id), number),
    addGolden: (id: ResourceId, number: number) => goldens.add(hash(id), number),
  };
}
