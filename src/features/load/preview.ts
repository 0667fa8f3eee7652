import type { Address, Patient } from '@medplum/fhirtypes';
import { MOTHERS_MAIDEN_NAME } from '../../fhir/index.ts';
import { isProblem } from '../../kernel/problem.ts';
import { type FileHead, findReading } from './file-format.ts';
import type { MapDocument } from './map-document.ts';
import type { Row } from './model.ts';
import { createRowReader } from './row-reader.ts';
import type { PreviewView } from './wire.ts';

export type Preview = PreviewView;

const ROWS_SHOWN = 20;
/** Stands in while nobody has chosen a domain yet. */
const DOMAIN_OF_PREVIEW = 'urn:careseal:preview';

/** What the first rows become under a mapping, and what is wrong with the mapping. Writes nothing. */
export function previewRows(
  head: FileHead,
  request: { readonly map: MapDocument; readonly domain?: string | undefined },
  today: string,
): Preview {
  try {
    const reading = findReading(head, request.map.csv);
    const reader = createRowReader({ reading, map: request.map, domain: request.domain ?? DOMAIN_OF_PREVIEW, today });
    const rows = reader.push(head.bytes);
    // A head that is only the beginning ends in the middle of a row, which must not be judged.
    if (head.isWhole) rows.push(...reader.end());
    return { rows: rows.slice(0, ROWS_SHOWN).map(shown), problems: [] };
  } catch (error) {
    if (!isProblem(error)) throw error;
    return { rows: [], problems: [{ level: 'error', code: error.code, text: error.publicDetail }] };
  }
}

function shown(row: Row): Preview['rows'][number] {
  if (row.kind === 'rejected') {
    const reject = { reason: row.reason, ...(row.column !== undefined && { column: row.column }) };
    return { line: row.line, fields: [], reject, warnings: [] };
  }
  return { line: row.line, fields: fieldsOf(row.patient), warnings: row.warnings.map((warning) => ({ ...warning })) };
}

type Field = Preview['rows'][number]['fields'][number];

function fieldsOf(patient: Patient): Field[] {
  const [name] = patient.name ?? [];
  const mother = patient.extension?.find(({ url }) => url === MOTHERS_MAIDEN_NAME)?.valueString;
  const fields: (Field | undefined)[] = [
    ...(patient.identifier ?? []).map((identifier) =>
      field('identifier', identifier.system ?? 'Identifier', identifier.value),
    ),
    field('name.given', 'Given names', name?.given?.join(' ')),
    field('name.family', 'Family name', name?.family),
    field('birthDate', 'Birth date', patient.birthDate),
    field('gender', 'Sex', patient.gender),
    ...(patient.telecom ?? []).map(({ system, value }) =>
      field(`telecom.${system}`, system === 'email' ? 'E-mail' : 'Telephone', value),
    ),
    field('address', 'Address', addressText(patient.address?.[0])),
    field('mothersMaidenName', 'Mother’s maiden name', mother),
    field('maritalStatus', 'Marital status', patient.maritalStatus?.text),
    field('deceased', 'Deceased', patient.deceasedDateTime ?? (patient.deceasedBoolean === true ? 'yes' : undefined)),
  ];
  return fields.filter((shownField) => shownField !== undefined);
}

function field(path: string, label: string, value: string | undefined): Field | undefined {
  return value === undefined || value === '' ? undefined : { path, label, value };
}

function addressText(address: Address | undefined): string | undefined {
  if (address === undefined) return undefined;
  const { text, line, district, city, state, postalCode, country } = address;
  return [text, ...(line ?? []), district, city, state, postalCode, country]
    .filter((part) => part !== undefined)
    .join(', ');
}
