import { dateFormats } from '../load/reading.ts';
import type { MapDocument } from '../load/wire.ts';
import { Problem } from '../../kernel/problem.ts';
import type { CompiledModel } from '../matching/index.ts';
import type { ColumnKey } from './fields.ts';
import {
  keepText,
  type Normalise,
  normaliseBirthDate,
  normaliseEmails,
  normaliseGender,
  normaliseIdentifiers,
  normaliseLine,
  normaliseMultipleBirth,
  normaliseName,
  normalisePhones,
  normalisePlace,
  normaliseSuffix,
  normaliseWholeName,
} from './normalise.ts';

/** Which places of a row make which columns of the table. */
export interface PlannedColumn {
  readonly key: ColumnKey | 'id' | 'truth';
  readonly normalise: Normalise;
}
export interface Plan {
  /** Places of the fields whose texts together are one value, in order. */
  readonly places: readonly number[];
  /** What is made of the value; a whole name makes two columns. */
  readonly columns: readonly PlannedColumn[];
}

export interface PlanInput {
  readonly map: MapDocument;
  readonly header: readonly string[];
  readonly model: CompiledModel;
  /** FHIR date. */
  readonly today: string;
  /** Column that says who is the same person. */
  readonly truth?: string | undefined;
}

type Source = NonNullable<MapDocument['prefix']>;

/** Makes the plan of a file. Throws Problem `map-columns-missing`, naming the columns that are not there. */
export function planOf(input: PlanInput): readonly Plan[] {
  const { map, model, header } = input;
  const missing: string[] = [];
  const place = (column: string): number => {
    const at = placeOf(header, column);
    if (at < 0) missing.push(column);
    return at;
  };
  const plans: Plan[] = [];
  const add = (sources: MapDocument['given'], key: PlannedColumn['key'], normalise: Normalise): void => {
    const places = columnsOf(sources).map(place);
    if (places.length > 0) plans.push({ places, columns: [{ key, normalise }] });
  };
  add(map.id, 'id', keepText);
  add(input.truth, 'truth', keepText);
  add(map.given, 'given', normaliseName(model, 'given'));
  add(map.family, 'family', normaliseName(model, 'family'));
  if (map.name !== undefined && map.given === undefined && map.family === undefined) {
    const [given, family] = normaliseWholeName(model, map.name);
    plans.push({
      places: columnsOf(typeof map.name === 'string' ? map.name : map.name.column).map(place),
      columns: [
        { key: 'given', normalise: given },
        { key: 'family', normalise: family },
      ],
    });
  }
  if (map.birthDate !== undefined) {
    const { column, unknown } =
      typeof map.birthDate === 'string' ? { column: map.birthDate, unknown: undefined } : map.birthDate;
    add(column, 'birthDate', normaliseBirthDate(model, dateFormats(map.birthDate), input.today, unknown));
  }
  if (map.gender !== undefined && (typeof map.gender === 'string' || 'column' in map.gender)) {
    const column = typeof map.gender === 'string' ? map.gender : map.gender.column;
    add(column, 'gender', normaliseGender(map.gender));
  }
  add(map.phone, 'phone', normalisePhones);
  add(map.email, 'email', normaliseEmails(model));
  add(map.address?.line ?? map.address?.text, 'line', normaliseLine);
  add(map.address?.postalCode, 'postalCode', normalisePlace('postalCode'));
  add(map.address?.city, 'city', normalisePlace('city'));
  add(map.address?.state, 'state', normalisePlace('state'));
  add(map.mothersMaidenName, 'mother', normaliseName(model, 'family'));
  add(map.suffix, 'suffix', normaliseSuffix);
  add(map.multipleBirth, 'multipleBirth', normaliseMultipleBirth);
  for (const { system, columns } of bySystem(map.identifier ?? [])) {
    add([...columns], `identifier:${system}`, normaliseIdentifiers);
  }
  refuseMissing(missing, header);
  return plans;
}

/** The map may not name what the truth is judged by: then every method would be perfect. */
export function refuseTruthInMap(map: MapDocument, truth: string | undefined): void {
  if (truth === undefined) return;
  const { id: _id, csv: _csv, ...used } = map;
  if (!JSON.stringify(used).toLowerCase().includes(JSON.stringify(truth.trim()).toLowerCase())) return;
  throw new Problem(
    'invalid',
    'truth-in-map',
    `The mapping uses the column "${truth}", which is the truth to be judged by. Leave it out of the mapping.`,
  );
}

function bySystem(identifiers: NonNullable<MapDocument['identifier']>): { system: string; columns: string[] }[] {
  const out: { system: string; columns: string[] }[] = [];
  for (const { system, column } of identifiers) {
    const known = out.find((entry) => entry.system === system);
    if (known === undefined) out.push({ system, columns: [column] });
    else known.columns.push(column);
  }
  return out;
}

/** Columns a source names; a fixed value is the same for every record and says nothing. */
function columnsOf(sources: Source | readonly Source[] | undefined): readonly string[] {
  if (sources === undefined) return [];
  const list: readonly Source[] = Array.isArray(sources) ? sources : [sources as Source];
  return list.flatMap((source) => (typeof source === 'string' ? [source] : 'column' in source ? [source.column] : []));
}

function placeOf(header: readonly string[], column: string): number {
  const wanted = column.trim();
  const exact = header.indexOf(wanted);
  return exact >= 0 ? exact : header.findIndex((name) => name.toLowerCase() === wanted.toLowerCase());
}

function refuseMissing(missing: readonly string[], header: readonly string[]): void {
  if (missing.length === 0) return;
  const names = [...new Set(missing)].map((name) => `"${name}"`).join(', ');
  throw new Problem(
    'invalid',
    'map-columns-missing',
    `The file has no column named ${names}; it was read with ${header.length} columns. Nothing was changed. Check the mapping, and the delimiter if the number of columns is wrong.`,
  );
}
