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
  /** What `encodeRecord` makes of it, where that is known already. */
  readonly text?: string | undefined;
  readonly tokens: readonly bigint[];
}

/** A record as it is asked for: opened and prepared. */
export interface OpenedRecord extends Omit<ImageRecord, 'tokens' | 'text'> {
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
  return new RegistryImage(matcher);
}

class RegistryImage implements Image {
  records = 0;
  readonly #keys = createTokenLists();
  readonly #own = createTokenLists();
  readonly #texts = createTexts();
  readonly #ids = createTexts();
  readonly #numbers = createIdNumbers();
  readonly #persons = createPersons();
  readonly #prepared: (record: number, text: () => string) => Prepared;
  #goldens = new Int32Array(1024);
  #domains = new Int32Array(1024);
  #versions = new Int32Array(1024);
  #flags = new Uint8Array(1024);
  #ownTokens = new BigInt64Array(1024);

  constructor(matcher: Matcher) {
    this.#prepared = createPrepared(matcher);
  }

  get bytes() {
    const columnBytes = this.records * (3 * 4 + 1 + 8);
    const lists = this.#keys.bytes + this.#own.bytes + this.#numbers.bytes;
    return lists + this.#texts.bytes + this.#ids.bytes + this.#persons.bytes + columnBytes;
  }

  add(one: ImageRecord): void {
    const record = this.records;
    const former = this.#numbers.find(one.id, (number) => this.#ids.at(number));
    if (former !== undefined) this.#flags[former] = (this.#flags[former] as number) | DEAD;
    const golden = this.#persons.numberOf(one.goldenId);
    this.#keep(one, golden);
    this.#texts.add(one.text ?? encodeRecord(one.record));
    this.#ids.add(one.id);
    this.#numbers.add(one.id, record);
    for (const token of one.tokens) this.#keys.add(token, record);
    if (one.keyToken !== null) this.#own.add(one.keyToken, record);
    this.#persons.join(golden, record);
    this.records++;
  }

  #keep(one: ImageRecord, golden: number): void {
    const [record, size] = [this.records, this.records + 1];
    this.#goldens = grown(this.#goldens, size);
    this.#domains = grown(this.#domains, size);
    this.#versions = grown(this.#versions, size);
    this.#flags = grown(this.#flags, size);
    this.#ownTokens = grown(this.#ownTokens, size);
    this.#goldens[record] = golden;
    this.#domains[record] = one.domainId;
    this.#versions[record] = one.version;
    this.#flags[record] = one.pinned ? PINNED : 0;
    this.#ownTokens[record] = one.keyToken ?? 0n;
  }

  setGolden(golden: Omit<ImageGolden, 'members'>): void {
    this.#persons.set(golden);
  }

  carriers(token: bigint, limit: number): number[] {
    const found: number[] = [];
    this.#keys.each(token, (record) => {
      if (!this.#isDead(record)) found.push(record);
      return found.length < limit;
    });
    return found;
  }

  byKey(token: bigint): number | undefined {
    let found: number | undefined;
    this.#own.each(token, (record) => {
      if (!this.#isDead(record)) found = record;
      return found === undefined;
    });
    return found;
  }

  #isDead(record: number): boolean {
    return ((this.#flags[record] as number) & DEAD) !== 0;
  }

  idOf(record: number): ResourceId {
    return this.#ids.at(record) as ResourceId;
  }

  goldenOf(record: number): number {
    return this.#goldens[record] as number;
  }

  golden(golden: number): ImageGolden {
    const found = this.#persons.at(golden);
    return { ...found, members: found.members.filter((record) => !this.#isDead(record)) };
  }

  open(record: number): OpenedRecord {
    const keyToken = this.#ownTokens[record] as bigint;
    return {
      id: this.idOf(record),
      goldenId: this.#persons.idOf(this.goldenOf(record)),
      domainId: this.#domains[record] as number,
      keyToken: keyToken === 0n ? null : keyToken,
      version: this.#versions[record] as number,
      pinned: ((this.#flags[record] as number) & PINNED) !== 0,
      ...this.#prepared(record, () => this.#texts.at(record)),
    };
  }
}

/** Golden records and who belongs to them; records of one are chained. */
function createPersons() {
  const ids = createTexts();
  const numbers = createIdNumbers();
  const shared = new Map<number, readonly OrganisationId[]>();
  let versions = new Int32Array(1024);
  let first = new Int32Array(1024);
  let last = new Int32Array(1024);
  let following = new Int32Array(1024);
  let count = 0;
  const numberOf = (id: ResourceId): number => {
    const known = numbers.find(id, (number) => ids.at(number));
    if (known !== undefined) return known;
    versions = grown(versions, count + 1);
    first = grown(first, count + 1);
    last = grown(last, count + 1);
    first[count] = last[count] = NONE;
    ids.add(id);
    numbers.add(id, count);
    return count++;
  };
  return {
    numberOf,
    get bytes() {
      return (
        ids.bytes + numbers.bytes + versions.byteLength + first.byteLength + last.byteLength + following.byteLength
      );
    },
    idOf: (golden: number) => ids.at(golden) as ResourceId,
    join(golden: number, record: number): void {
      following = grown(following, record + 1);
      following[record] = NONE;
      if (first[golden] === NONE) first[golden] = record;
      else following[last[golden] as number] = record;
      last[golden] = record;
    },
    set({ id, version, sharedWith }: Omit<ImageGolden, 'members'>): void {
      const golden = numberOf(id);
      versions[golden] = version;
      if (sharedWith.length > 0) shared.set(golden, sharedWith);
      else shared.delete(golden);
    },
    at(golden: number): ImageGolden {
      const members: number[] = [];
      for (let at = first[golden] as number; at !== NONE; at = following[at] as number) members.push(at);
      const id = ids.at(golden) as ResourceId;
      return { id, version: versions[golden] as number, sharedWith: shared.get(golden) ?? [], members };
    },
  };
}

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

/** Numbers by id. The hash of an id is its last 48 bits, which are random; the text decides. */
function createIdNumbers() {
  const lists = createTokenLists();
  const hash = (id: ResourceId) => BigInt(`0x${id.slice(24)}`);
  return {
    get bytes() {
      return lists.bytes;
    },
    find(id: ResourceId, textOf: (number: number) => string): number | undefined {
      let found: number | undefined;
      // The newest state of a record is the last one added.
      lists.each(hash(id), (number) => {
        if (textOf(number) === id) found = number;
        return true;
      });
      return found;
    },
    add: (id: ResourceId, number: number) => lists.add(hash(id), number),
  };
}
