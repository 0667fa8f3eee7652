import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MapDocument } from '../src/features/load/wire.ts';

/** The labelled sets of `../shared/data/linkage` as `careseal evaluate` takes them: a file, a mapping, a truth. Never copied here. */
export interface EvaluationSet {
  readonly name: string;
  readonly path: string;
  readonly map: MapDocument;
  readonly truth?: string;
  readonly truthPairs?: string;
  /** Cluster F1 to reach, and what Splink reached with its threshold picked on the labels; see docs/matching.md. */
  readonly goal: number;
  readonly splink?: number;
}

const FOLDER = fileURLToPath(new URL('../../shared/data/linkage/', import.meta.url));

const PERSON = { id: 'rec_id', given: 'given_name', family: 'surname' };
const COMPACT_DATE = { column: 'date_of_birth', format: 'YYYYMMDD' };
const UGANDA = { ...PERSON, gender: 'sex', birthDate: COMPACT_DATE, phone: 'phone_number' };
const FEBRL = {
  ...PERSON,
  birthDate: COMPACT_DATE,
  address: {
    line: ['street_number', 'address_1', 'address_2'],
    city: 'suburb',
    state: 'state',
    postalCode: 'postcode',
  },
  identifier: [{ system: 'urn:example:social-security', column: 'soc_sec_id' }],
};
const HISTORICAL = {
  id: 'unique_id',
  birthDate: 'dob',
  gender: 'gender',
  address: { city: 'birth_place', postalCode: 'postcode_fake' },
};

/** All sets; the pairs of the FEBRL sets are written out first, since their truth is a part of the record's id. */
export function evaluationSets(): readonly EvaluationSet[] {
  return [...ugandaSets(), febrl(1, 0.999, 1), febrl(2, 0.9987, 0.9987), febrl(3, 0.9975, 0.9973), ...splinkSets()];
}

function ugandaSets(): readonly EvaluationSet[] {
  const ugandaPairs = join(FOLDER, 'uganda_true_links.csv');
  return [
    {
      name: 'uganda',
      path: join(FOLDER, 'uganda.csv'),
      map: MapDocument.parse({
        ...UGANDA,
        identifier: [
          { system: 'urn:ug:nin', column: 'uganda_nin' },
          { system: 'urn:ug:art', column: 'art_number' },
        ],
      }),
      truthPairs: ugandaPairs,
      goal: 1,
    },
    {
      name: 'uganda without its identifiers',
      path: join(FOLDER, 'uganda.csv'),
      map: MapDocument.parse(UGANDA),
      truthPairs: ugandaPairs,
      goal: 0.999,
    },
  ];
}

/** The two demonstration sets of Splink. */
function splinkSets(): readonly EvaluationSet[] {
  return [
    {
      name: 'fake_1000',
      path: join(FOLDER, 'fake_1000.csv'),
      map: MapDocument.parse({
        id: 'unique_id',
        given: 'first_name',
        family: 'surname',
        birthDate: 'dob',
        email: 'email',
        address: { city: 'city' },
      }),
      truth: 'cluster',
      goal: 0.92,
      splink: 0.903,
    },
    {
      name: 'historical_dev',
      path: join(FOLDER, 'historical_dev.csv'),
      map: MapDocument.parse({ ...HISTORICAL, given: 'first_name', family: 'surname' }),
      truth: 'cluster',
      goal: 0.85,
      splink: 0.826,
    },
    {
      name: 'historical_dev, whole names',
      path: join(FOLDER, 'historical_dev.csv'),
      map: MapDocument.parse({ ...HISTORICAL, name: 'full_name' }),
      truth: 'cluster',
      goal: 0.85,
    },
  ];
}

function febrl(number: 1 | 2 | 3, goal: number, splink: number): EvaluationSet {
  const path = join(FOLDER, `febrl${number}.csv`);
  const groups = new Map<string, string[]>();
  for (const line of readFileSync(path, 'utf8').split('\n').slice(1)) {
    const [id = ''] = line.split(',');
    const person = id.split('-')[1];
    if (person !== undefined) groups.set(person, [...(groups.get(person) ?? []), id]);
  }
  const pairs = [...groups.values()].flatMap((ids) => ids.slice(1).map((id) => `${ids[0] ?? ''},${id}`));
  const folder = join(tmpdir(), 'careseal-linkage');
  mkdirSync(folder, { recursive: true });
  const truthPairs = join(folder, `febrl${number}-pairs.csv`);
  writeFileSync(truthPairs, `${pairs.join('\n')}\n`);
  return { name: `febrl${number}`, path, map: MapDocument.parse(FEBRL), truthPairs, goal, splink };
}
