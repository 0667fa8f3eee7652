import type { MapDocument } from '../../../features/load/wire.ts';

/**
 * The mapping as the page edits it: each column of the file becomes one thing. Converts from and to the mapping document,
 * which can say more; what the page cannot show (fixed values, given encodings) is carried through untouched.
 */
export type Target =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'id' }
  | { readonly kind: 'simple'; readonly to: SimpleTarget }
  | { readonly kind: 'many'; readonly to: ManyTarget }
  | { readonly kind: 'birthDate'; readonly format: string }
  | { readonly kind: 'identifier'; readonly system: string; readonly rest: Readonly<Record<string, string>> }
  | { readonly kind: 'address'; readonly to: AddressTarget }
  | { readonly kind: 'address-line' };

export const SIMPLE_TARGETS = [
  'name',
  'gender',
  'prefix',
  'suffix',
  'deceased',
  'multipleBirth',
  'mothersMaidenName',
  'maritalStatus',
  'language',
  'active',
] as const;
export type SimpleTarget = (typeof SIMPLE_TARGETS)[number];
export const MANY_TARGETS = ['given', 'family', 'phone', 'email'] as const;
export type ManyTarget = (typeof MANY_TARGETS)[number];
export const ADDRESS_TARGETS = ['text', 'district', 'city', 'state', 'postalCode', 'country'] as const;
export type AddressTarget = (typeof ADDRESS_TARGETS)[number];

export interface Mapping {
  /** In the file's order of columns. */
  readonly targets: ReadonlyMap<string, Target>;
  /** The document it came from, for all that the page does not show. */
  readonly base: MapDocument;
}

const NOTHING: Target = { kind: 'nothing' };

type Source = string | { column: string } | { value: string } | undefined;

function columnOf(source: Source): string | undefined {
  if (typeof source === 'string') return source;
  return source !== undefined && 'column' in source ? source.column : undefined;
}

function listOf<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value as T]; // Array.isArray does not narrow a readonly array out of the union
}

/** Reads a document for the columns at hand. Columns that the file does not have are left out. */
export function mappingOf(document: MapDocument, columns: readonly string[]): Mapping {
  const found = new Map<string, Target>();
  const put = (source: Source, target: Target): void => {
    const column = columnOf(source);
    if (column !== undefined && columns.includes(column) && !found.has(column)) found.set(column, target);
  };
  put(document.id, { kind: 'id' });
  for (const to of MANY_TARGETS) for (const one of listOf<Source>(document[to])) put(one, { kind: 'many', to });
  for (const to of SIMPLE_TARGETS) put(document[to], { kind: 'simple', to });
  const born = document.birthDate;
  const format = typeof born === 'object' ? listOf(born.format)[0] : undefined;
  put(born, { kind: 'birthDate', format: format ?? 'auto' });
  for (const { system, column, ...rest } of document.identifier ?? [])
    put(column, { kind: 'identifier', system, rest: textsOf(rest) });
  for (const one of listOf<Source>(document.address?.line)) put(one, { kind: 'address-line' });
  for (const to of ADDRESS_TARGETS) put(document.address?.[to], { kind: 'address', to });
  return { targets: new Map(columns.map((column) => [column, found.get(column) ?? NOTHING])), base: document };
}

function textsOf(values: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** Several columns may become some targets; of the others the last choice wins and the earlier column is freed. */
export function withTarget(mapping: Mapping, column: string, target: Target): Mapping {
  const targets = new Map(mapping.targets);
  if (isSingle(target)) {
    for (const [other, taken] of targets) if (sameSingle(taken, target)) targets.set(other, NOTHING);
  }
  targets.set(column, target);
  return { ...mapping, targets };
}

const isSingle = (target: Target): boolean =>
  target.kind === 'id' || target.kind === 'simple' || target.kind === 'birthDate' || target.kind === 'address';

function sameSingle(a: Target, b: Target): boolean {
  if (a.kind !== b.kind) return false;
  return !('to' in a) || !('to' in b) || a.to === b.to;
}

/** Writes the document that the loader, the command line and the saved mappings use. */
export function documentOf(mapping: Mapping): MapDocument {
  const { base } = mapping;
  const entries = [...mapping.targets];
  const columnsOf = (fits: (target: Target) => boolean): string[] =>
    entries.filter(([, target]) => fits(target)).map(([column]) => column);
  const [id] = columnsOf((target) => target.kind === 'id');
  return {
    ...(id === undefined ? {} : { id }),
    ...manyPart(columnsOf, base),
    ...simplePart(columnsOf, base),
    ...birthDatePart(entries, base),
    ...identifierPart(entries),
    ...addressPart(columnsOf, base),
    ...(base.csv === undefined ? {} : { csv: base.csv }),
  };
}

type ColumnsOf = (fits: (target: Target) => boolean) => string[];

const isFixed = (source: Source): boolean => typeof source === 'object' && 'value' in source;

function oneOrMany(columns: string[]): string | string[] | undefined {
  return columns.length === 0 ? undefined : columns.length === 1 ? columns[0] : columns;
}

function manyPart(columnsOf: ColumnsOf, base: MapDocument): Partial<MapDocument> {
  const part: Partial<MapDocument> = {};
  for (const to of MANY_TARGETS) {
    const value = oneOrMany(columnsOf((target) => target.kind === 'many' && target.to === to));
    const fixed = listOf<Source>(base[to]).every(isFixed) ? base[to] : undefined;
    const chosen = value ?? fixed;
    if (chosen !== undefined) part[to] = chosen;
  }
  return part;
}

function simplePart(columnsOf: ColumnsOf, base: MapDocument): Partial<MapDocument> {
  const part: Record<string, unknown> = {};
  for (const to of SIMPLE_TARGETS) {
    const [column] = columnsOf((target) => target.kind === 'simple' && target.to === to);
    const before = base[to];
    // A column that stays keeps its details (value lists, order of names, formats).
    if (column !== undefined) part[to] = columnOf(before) === column ? before : column;
    else if (isFixed(before)) part[to] = before;
  }
  return part;
}

function birthDatePart(entries: readonly (readonly [string, Target])[], base: MapDocument): Partial<MapDocument> {
  for (const [column, target] of entries) {
    if (target.kind !== 'birthDate') continue;
    const before = typeof base.birthDate === 'object' && base.birthDate.column === column ? base.birthDate : undefined;
    const kept = before?.unknown === undefined ? {} : { unknown: before.unknown };
    // Several formats cannot be shown; they stay as long as the first of them was not changed.
    const format = listOf(before?.format)[0] === target.format ? before?.format : target.format;
    return { birthDate: { column, ...(format === undefined || format === 'auto' ? {} : { format }), ...kept } };
  }
  return {};
}

function identifierPart(entries: readonly (readonly [string, Target])[]): Partial<MapDocument> {
  const identifier = entries.flatMap(([column, target]) =>
    target.kind === 'identifier' ? [{ ...target.rest, system: target.system, column }] : [],
  );
  return identifier.length === 0 ? {} : { identifier };
}

function addressPart(columnsOf: ColumnsOf, base: MapDocument): Partial<MapDocument> {
  const address: NonNullable<MapDocument['address']> = {};
  const line = oneOrMany(columnsOf((target) => target.kind === 'address-line'));
  if (line !== undefined) address.line = line;
  for (const to of ADDRESS_TARGETS) {
    const [column] = columnsOf((target) => target.kind === 'address' && target.to === to);
    const before = base.address?.[to];
    if (column !== undefined) address[to] = column;
    else if (before !== undefined && isFixed(before)) address[to] = before;
  }
  if (base.address?.use !== undefined) address.use = base.address.use;
  const said = Object.keys(address).some((key) => key !== 'use');
  return said ? { address } : {};
}
