import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import type { MatchRecord } from '../src/features/matching/index.ts';

/** The labelled sets of `../shared/data/linkage`, as match records with their truth. Labels are read for judging only. */
export interface LabelledSet {
  readonly name: string;
  readonly ids: readonly string[];
  readonly records: readonly MatchRecord[];
  /** True when two records (by place) are one person. */
  readonly same: (a: number, b: number) => boolean;
  readonly truePairs: readonly (readonly [number, number])[];
}

type Row = Readonly<Record<string, string>>;

const FOLDER = new URL('../../shared/data/linkage/', import.meta.url);

export function setsArePresent(): boolean {
  return existsSync(new URL('uganda.csv', FOLDER));
}

/** Reads a CSV file; a malformed row (the CDC file has one) is left out. */
export function readRows(file: string): Row[] {
  const [header = '', ...lines] = readFileSync(new URL(file, FOLDER), 'utf8').split(/\r?\n/);
  const names = header.split(',').map((name) => name.trim());
  const rows: Row[] = [];
  for (const line of lines) {
    const values = line === '' ? undefined : parseLine(line);
    if (values === undefined) continue;
    rows.push(Object.fromEntries(names.map((name, index) => [name, values[index] ?? ''])));
  }
  return rows;
}

function parseLine(line: string): readonly string[] | undefined {
  try {
    return parse(line, { trim: true })[0];
  } catch {
    return undefined;
  }
}

const text = (row: Row, column: string): readonly string[] => {
  const value = row[column]?.trim() ?? '';
  return value === '' ? [] : [value];
};
const first = (values: readonly string[]): string | undefined => values[0];

function isoDate(compact: string | undefined): string | undefined {
  if (compact === undefined) return undefined;
  const american = /^(\d{1,2})\/(\d{1,2})\/(\d{2}|\d{4})$/.exec(compact);
  if (american !== null) return monthFirst(american);
  if (/^\d{4}-\d{2}-\d{2}$/.test(compact)) return compact;
  const digits = compact.replaceAll('-', '');
  if (!/^\d{8}$/.test(digits)) return undefined;
  const iso = `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`;
  // The loader refuses dates that do not exist, so matching never sees them.
  const parsed = new Date(`${iso}T00:00:00Z`);
  return Number.isNaN(parsed.getTime()) || parsed.toISOString().slice(0, 10) !== iso ? undefined : iso;
}

/** M/D/YY or M/D/YYYY, as the CDC set has it; nobody there was born after 2025. */
function monthFirst([, month = '', day = '', year = '']: RegExpExecArray): string {
  const century = year.length === 4 ? '' : Number(year) > 25 ? '19' : '20';
  return `${century}${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
}

function genderOf(value: string | undefined): MatchRecord['gender'] {
  const letter = value?.trim().toLowerCase()[0];
  return letter === 'm' ? 'male' : letter === 'f' ? 'female' : 'unknown';
}

interface Parts {
  readonly birthDate?: string | undefined;
  readonly gender?: string | undefined;
  readonly city?: string | undefined;
  readonly state?: string | undefined;
  readonly postalCode?: string | undefined;
}

function record(base: Partial<MatchRecord>, parts: Parts, line: readonly string[] = []): MatchRecord {
  const birthDate = isoDate(parts.birthDate);
  const written = parts.birthDate?.trim() ?? '';
  const gender = genderOf(parts.gender);
  const hasAddress = line.length > 0 || parts.city !== undefined || parts.postalCode !== undefined;
  return {
    given: [],
    family: [],
    phones: [],
    emails: [],
    identifiers: [],
    ...base,
    ...(gender !== undefined && { gender }),
    ...(birthDate === undefined ? written !== '' && { birthDateText: written } : { birthDate }),
    ...(hasAddress && {
      address: {
        line,
        ...(parts.city !== undefined && { city: parts.city }),
        ...(parts.state !== undefined && { state: parts.state }),
        ...(parts.postalCode !== undefined && { postalCode: parts.postalCode }),
      },
    }),
  };
}

function byCluster(
  name: string,
  ids: readonly string[],
  clusters: readonly string[],
  records: readonly MatchRecord[],
): LabelledSet {
  const members = new Map<string, number[]>();
  for (const [index, cluster] of clusters.entries()) {
    const list = members.get(cluster);
    if (list === undefined) members.set(cluster, [index]);
    else list.push(index);
  }
  const truePairs: [number, number][] = [];
  for (const list of members.values()) {
    for (const [at, a] of list.entries()) for (const b of list.slice(at + 1)) truePairs.push([a, b]);
  }
  return { name, ids, records, truePairs, same: (a, b) => clusters[a] === clusters[b] };
}

const identifier = (system: string, values: readonly string[]) => values.map((value) => ({ system, value }));

export function uganda(withIdentifiers = true): LabelledSet {
  const rows = readRows('uganda.csv');
  const ids = rows.map((row) => row['rec_id'] ?? '');
  const place = new Map(ids.map((id, index) => [id, index]));
  const partner = new Map<string, Set<string>>();
  const truePairs: [number, number][] = [];
  for (const link of readRows('uganda_true_links.csv')) {
    const [a, b] = [link['rec_id_1'] ?? '', link['rec_id_2'] ?? ''];
    truePairs.push([place.get(a) ?? -1, place.get(b) ?? -1]);
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const)
      partner.set(from, (partner.get(from) ?? new Set()).add(to));
  }
  const records = rows.map((row) =>
    record(
      {
        given: text(row, 'given_name'),
        family: text(row, 'surname'),
        phones: text(row, 'phone_number'),
        identifiers: withIdentifiers
          ? [...identifier('urn:ug:nin', text(row, 'uganda_nin')), ...identifier('urn:ug:art', text(row, 'art_number'))]
          : [],
      },
      { birthDate: row['date_of_birth'], gender: row['sex'] },
    ),
  );
  const same = (a: number, b: number) => partner.get(ids[a] ?? '')?.has(ids[b] ?? '') ?? false;
  return { name: withIdentifiers ? 'uganda' : 'uganda without identifiers', ids, records, truePairs, same };
}

export function febrl(number: 1 | 2 | 3): LabelledSet {
  const rows = readRows(`febrl${number}.csv`);
  const ids = rows.map((row) => row['rec_id'] ?? '');
  const records = rows.map((row) =>
    record(
      {
        given: text(row, 'given_name'),
        family: text(row, 'surname'),
        identifiers: identifier('urn:au:soc_sec_id', text(row, 'soc_sec_id')),
      },
      {
        birthDate: row['date_of_birth'],
        city: first(text(row, 'suburb')),
        state: first(text(row, 'state')),
        postalCode: first(text(row, 'postcode')),
      },
      [...text(row, 'street_number'), ...text(row, 'address_1'), ...text(row, 'address_2')],
    ),
  );
  return byCluster(
    `febrl${number}`,
    ids,
    ids.map((id) => id.split('-')[1] ?? id),
    records,
  );
}

export function fake1000(): LabelledSet {
  const rows = readRows('fake_1000.csv');
  const records = rows.map((row) =>
    record(
      { given: text(row, 'first_name'), family: text(row, 'surname'), emails: text(row, 'email') },
      { birthDate: row['dob'], city: first(text(row, 'city')) },
    ),
  );
  return byCluster(
    'fake_1000',
    rows.map((row) => row['unique_id'] ?? ''),
    rows.map((row) => row['cluster'] ?? ''),
    records,
  );
}

export function historical(): LabelledSet {
  const rows = readRows('historical_dev.csv');
  const records = rows.map((row) => {
    const names = (row['full_name'] ?? '').split(' ').filter((word) => word !== '');
    const family = text(row, 'surname');
    const given = names.slice(0, Math.max(0, names.length - (family[0]?.split(' ').length ?? 0)));
    return record(
      { given: given.length > 0 ? given : text(row, 'first_name'), family },
      {
        birthDate: row['dob'],
        gender: row['gender'],
        city: first(text(row, 'birth_place')),
        postalCode: first(text(row, 'postcode_fake')),
      },
    );
  });
  return byCluster(
    'historical_dev',
    rows.map((row) => row['unique_id'] ?? ''),
    rows.map((row) => row['cluster'] ?? ''),
    records,
  );
}

export function cdcRecord(row: Row): MatchRecord {
  return record(
    {
      given: text(row, 'FIRST'),
      family: text(row, 'LAST'),
      suffix: text(row, 'SUFFIX'),
      identifiers: [
        ...identifier('http://hl7.org/fhir/sid/us-ssn', text(row, 'SSN')),
        ...identifier('urn:us:mrn', text(row, 'ID')),
      ],
      ...(text(row, 'MAIDEN').length > 0 && { mothersMaidenName: row['MAIDEN'] ?? '' }),
    },
    {
      birthDate: row['BIRTHDATE'],
      gender: row['GENDER'],
      city: first(text(row, 'CITY')),
      state: first(text(row, 'STATE')),
      postalCode: first(text(row, 'ZIP')),
    },
    text(row, 'ADDRESS'),
  );
}
