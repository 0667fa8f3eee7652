import { validateResource } from '../../fhir/index.ts';
import { loadProblem } from './errors.ts';
import type { MapDocument } from './map-document.ts';
import type { Row } from './model.ts';
import { compileSteps, type Draft } from './patient-steps.ts';
import { type Columns, columnsOf, readColumn } from './row-values.ts';

/** Turns the fields of one row into a Patient. Compiled once per file: no schema and no look-up by name per row. */
export type MapRow = (row: { readonly line: number; readonly fields: readonly string[] }) => Row;

export interface MapperInput {
  readonly map: MapDocument;
  readonly header: readonly string[];
  /** Identifier system of the records' own ids. */
  readonly domain: string;
  /** FHIR date. */
  readonly today: string;
}

/** Compiles a mapping for a header. Throws Problem `map-incomplete` or `map-columns-missing`, naming the columns. */
export function compileRowMapper(input: MapperInput): MapRow {
  const { map, header, domain } = input;
  const columns = columnsOf(header);
  const idColumn = map.id ?? map.identifier?.find(({ system }) => system === domain)?.column;
  if (idColumn === undefined) {
    throw loadProblem(
      'invalid',
      'map-incomplete',
      'The mapping must say with "id" which column names a record, so that the same file can be loaded again. Nothing was loaded.',
    );
  }
  const readId = readColumn(columns, idColumn);
  const steps = compileSteps(input, columns);
  refuseMissing(columns);
  return ({ line, fields }) => {
    const rejected = (reason: string, column?: string): Row => ({
      kind: 'rejected',
      line,
      reason,
      fields,
      lines: 1,
      ...(column !== undefined && { column }),
    });
    if (fields.length !== header.length) {
      return rejected(`the row has ${fields.length} fields, the header has ${header.length}`);
    }
    const broken = brokenField(fields);
    if (broken >= 0) return rejected(brokenReason(fields[broken] ?? ''), header[broken]);
    const key = readId(fields);
    if (key === '') return rejected('the record has no id', idColumn);
    const draft: Draft = {
      patient: { resourceType: 'Patient', identifier: [{ system: domain, value: key }] },
      warnings: [],
    };
    for (const step of steps) step(fields, draft);
    const [fault] = validateResource(draft.patient);
    if (fault !== undefined) return rejected(`${fault.expression?.[0] ?? 'Patient'}: ${fault.detail}`);
    return { kind: 'good', line, key, patient: draft.patient, warnings: draft.warnings, fields };
  };
}

function refuseMissing({ missing, repeated, header }: Columns): void {
  if (repeated.length > 0) {
    throw loadProblem(
      'invalid',
      'map-columns-missing',
      `The file has more than one column named ${quoted(repeated)}. Nothing was loaded. Rename them in the file.`,
    );
  }
  if (missing.length > 0) {
    throw loadProblem(
      'invalid',
      'map-columns-missing',
      `The file has no column named ${quoted(missing)}; it was read with ${header.length} columns. Nothing was loaded. Check the mapping, and the delimiter if the number of columns is wrong.`,
    );
  }
}

function quoted(names: readonly string[]): string {
  return [...new Set(names)].map((name) => `"${name}"`).join(', ');
}

// Control characters but for tab and line breaks, and what bytes that are no text become.
const BROKEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffd]/;

function brokenField(fields: readonly string[]): number {
  for (let at = 0; at < fields.length; at++) if (BROKEN.test(fields[at] as string)) return at;
  return -1;
}

function brokenReason(field: string): string {
  return field.includes('\ufffd')
    ? 'holds bytes that are no valid text in the encoding of the file'
    : 'holds control characters';
}
