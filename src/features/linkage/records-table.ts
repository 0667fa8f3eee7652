import { type CompiledModel, type MatchRecord, parseBirthDate } from '../matching/index.ts';
import type { Table } from './fields.ts';
import {
  type Normalise,
  normaliseEmails,
  normaliseIdentifiers,
  normaliseLine,
  normaliseMultipleBirth,
  normaliseName,
  normalisePhones,
  normalisePlace,
  normaliseSuffix,
} from './normalise.ts';
import { sharedBytes, sharedNumbers } from './fields.ts';
import { packTexts, type ReadColumn } from './read-columns.ts';
import { tableOf } from './table.ts';

/** Records one by one into the columns that batch linkage works on; for records that are in memory and not in a file. */
export interface RecordsTable {
  add(record: MatchRecord): void;
  readonly size: number;
  /** Identifier systems that got a column: the commonest. */
  systems(): readonly string[];
  /** `systems`: give the same ones to tables whose pairs are to be compared by the same fields. */
  table(systems: readonly string[]): Table;
}

/** A registry has a system per clinic: more columns than these would only cost. */
const SYSTEMS_MAX = 8;

export function createRecordsTable(model: CompiledModel): RecordsTable {
  const columns = fieldColumns(model);
  const identifiers = new Map<string, ColumnBuilder>();
  let size = 0;
  return {
    get size() {
      return size;
    },
    add(record) {
      for (const { builder, values } of columns) builder.put(size, values(record));
      for (const [system, own] of Map.groupBy(record.identifiers, (one) => one.system)) {
        const builder = identifiers.get(system) ?? createColumnBuilder(normaliseIdentifiers);
        identifiers.set(system, builder);
        builder.put(
          size,
          own.map((one) => one.value),
        );
      }
      size++;
    },
    systems: () =>
      [...identifiers]
        .toSorted(([x, a], [y, b]) => b.filled() - a.filled() || (x < y ? -1 : 1))
        .slice(0, SYSTEMS_MAX)
        .map(([system]) => system),
    table(systems) {
      const read: ReadColumn[] = columns.map(({ key, builder }) => ({ key, ...builder.column(size) }));
      for (const system of systems) {
        const builder = identifiers.get(system) ?? createColumnBuilder(normaliseIdentifiers);
        read.push({ key: `identifier:${system}`, ...builder.column(size) });
      }
      return tableOf(size, read).table;
    },
  };
}

interface FieldColumn {
  readonly key: ReadColumn['key'];
  readonly builder: ColumnBuilder;
  readonly values: (record: MatchRecord) => readonly string[];
}

function fieldColumns(model: CompiledModel): FieldColumn[] {
  const field = (
    key: ReadColumn['key'],
    normalise: Normalise,
    values: (record: MatchRecord) => readonly string[],
  ): FieldColumn => ({ key, builder: createColumnBuilder(normalise), values });
  const one = (text: string | undefined) => (text === undefined ? NONE : [text]);
  return [
    field('given', normaliseName(model, 'given'), ({ given }) => given),
    field('family', normaliseName(model, 'family'), ({ family }) => family),
    field('birthDate', knownDate(model), ({ birthDate }) => one(birthDate)),
    field('gender', knownGender, ({ gender }) => one(gender)),
    field('phone', normalisePhones, ({ phones }) => phones),
    field('email', normaliseEmails(model), ({ emails }) => emails),
    field('line', normaliseLine, ({ address }) => address?.line ?? NONE),
    field('postalCode', normalisePlace('postalCode'), ({ address }) => one(address?.postalCode)),
    field('city', normalisePlace('city'), ({ address }) => one(address?.city)),
    field('state', normalisePlace('state'), ({ address }) => one(address?.state)),
    field('mother', normaliseName(model, 'family'), ({ mothersMaidenName }) => one(mothersMaidenName)),
    field('suffix', normaliseSuffix, ({ suffix }) => suffix ?? NONE),
    field('multipleBirth', normaliseMultipleBirth, ({ multipleBirth }) => one(severalWord(multipleBirth))),
  ];
}

const NONE: readonly string[] = [];

const knownDate =
  (model: CompiledModel): Normalise =>
  ([text = '']) => {
    const isKnown = !model.skip.birthDates.has(text) && parseBirthDate(text) !== undefined;
    return { text: isKnown ? text : '', flags: 0 };
  };

const knownGender: Normalise = ([text = '']) => ({ text: text === 'unknown' ? '' : text, flags: 0 });

function severalWord(multiple: MatchRecord['multipleBirth']): string | undefined {
  if (multiple === undefined) return undefined;
  return typeof multiple === 'number' ? String(multiple) : String(multiple);
}

interface ColumnBuilder {
  put(record: number, values: readonly string[]): void;
  filled(): number;
  column(size: number): Omit<ReadColumn, 'key'>;
}

/** Every distinct value is normalised once. */
function createColumnBuilder(normalise: Normalise): ColumnBuilder {
  const known = new Map<string, { readonly id: number; readonly flags: number }>();
  const idOf = new Map<string, number>();
  const texts: string[] = [];
  const at: number[] = [];
  const ids: number[] = [];
  const flags: number[] = [];
  const meaning = (values: readonly string[]) => {
    const raw = values.join('\u001f');
    const before = known.get(raw);
    if (before) return before;
    const normal = normalise(values);
    let id = normal.text === '' ? 0 : (idOf.get(normal.text) ?? 0);
    if (normal.text !== '' && id === 0) {
      texts.push(normal.text);
      id = texts.length;
      idOf.set(normal.text, id);
    }
    const made = { id, flags: normal.flags };
    known.set(raw, made);
    return made;
  };
  return {
    put(record, values) {
      if (values.length === 0) return;
      const { id, flags: own } = meaning(values);
      if (id === 0 && own === 0) return;
      at.push(record);
      ids.push(id);
      flags.push(own);
    },
    filled: () => at.length,
    column(size) {
      const all = sharedNumbers(size);
      const marks = sharedBytes(size);
      for (const [place, record] of at.entries()) {
        all[record] = ids[place] ?? 0;
        marks[record] = flags[place] ?? 0;
      }
      const column = { ids: all, texts: packTexts(texts) };
      return flags.some((own) => own !== 0) ? { ...column, flags: marks } : column;
    },
  };
}
