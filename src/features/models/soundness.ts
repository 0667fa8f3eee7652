/**
 * Whether a model that came from outside may be kept at all. A model cannot run code, but it could link everybody with everybody, or
 * make every record meet every other one. Pure.
 */
import { compileModel, type MatchingModel, type MatchRecord, prepare, score } from '../matching/index.ts';

/** Whoever shares nothing but one of these shares it with thousands. */
const BROAD = new Set(['city', 'birth-year', 'initials', 'name-sound', 'mothers-maiden-name-sound', 'postal-code']);
const NAMES_MAX = 20_000;
/** log2: no single field says more than that a hundred million to one. */
const WEIGHT_MAX = 34;
/** A population that small would make strangers into one person by the starting weight alone. */
const POPULATION_MIN = 100;

/** What speaks against keeping it; empty when nothing does. */
export function unsoundness(model: MatchingModel): string[] {
  return [...bounds(model), ...blocking(model), ...(tryStrangers(model) ?? [])];
}

function bounds(model: MatchingModel): string[] {
  const found: string[] = [];
  if (model.thresholds.match < 0.5)
    found.push('thresholds.match is below .5: it would link what is likelier two people.');
  if (model.prior.population < POPULATION_MIN) found.push(`prior.population is below ${POPULATION_MIN}.`);
  if (model.rules.uniqueIdentifier.score >= 1) found.push('rules.uniqueIdentifier.score is 1.');
  for (const side of ['given', 'family'] as const) {
    if (Object.keys(model.frequencies[side]).length > NAMES_MAX)
      found.push(`frequencies.${side} lists more than ${NAMES_MAX} names.`);
  }
  for (const [name, levels] of allLevels(model)) {
    for (const [level, { m, u }] of Object.entries(levels)) {
      const weight = Math.log2(m / u);
      if (Math.abs(weight) > WEIGHT_MAX)
        found.push(`${name}, ${level}: a weight of ${weight.toFixed(0)} is beyond ±${WEIGHT_MAX}.`);
      if (level === 'different' && weight > 0) found.push(`${name}: a difference would speak for one person.`);
    }
  }
  return found;
}

type Levels = Readonly<Record<string, { readonly m: number; readonly u: number }>>;

function allLevels(model: MatchingModel): [string, Levels][] {
  return [
    ...Object.entries(model.fields).map(([name, field]): [string, Levels] => [name, field.levels]),
    ...model.identifiers.map(({ kind, levels }): [string, Levels] => [`identifier, ${kind}`, levels]),
  ];
}

function blocking(model: MatchingModel): string[] {
  const broad = model.blocking.rules.filter(({ parts }) => new Set(parts).size === 1 && BROAD.has(parts[0] ?? ''));
  return broad.map(
    ({ name }) => `blocking rule ${name}: thousands share that; every registration would meet all of them.`,
  );
}

/** Made-up people who have nothing, or only what a village has, in common. */
const STRANGERS: readonly MatchRecord[] = [
  stranger('Amina', 'Okello', '1984-03-12', 'female', '0772111222', 'Plot 4 Market Street', 'Gulu'),
  stranger('Peter', 'Banda', '1999-12-25', 'male', '0782333444', '9 Hill Road', 'Lira'),
  stranger('Prossy', 'Namutebi', '1991-09-17', 'female', '0701555666', '17 Lake View', 'Gulu'),
  stranger('John', 'Mwangi', '1965-06-30', 'male', '0712777888', '3 River Lane', 'Nakuru'),
  stranger('Fatuma', 'Abdi', '2001-01-09', 'female', '0733999000', '22 Station Road', 'Lira'),
  stranger('José', 'García', '1978-11-02', 'male', '0799123456', '5 Calle Mayor', 'Nakuru'),
  stranger('Li', 'Chen', '1955-04-18', 'female', '0766543210', '88 Garden Close', 'Gulu'),
  stranger('Grace', 'Auma', '2010-08-21', 'female', '0755246810', '1 School Lane', 'Lira'),
  { given: ['Moses'], family: [], phones: [], emails: [], identifiers: [] },
  { given: [], family: ['Kato'], birthDate: '1970', phones: [], emails: [], identifiers: [] },
  { given: ['Ruth'], family: ['Atim'], gender: 'female', phones: [], emails: [], identifiers: [] },
  { given: ['Sam'], family: ['Odongo'], gender: 'male', phones: [], emails: [], identifiers: [] },
];

function stranger(
  ...[given, family, birthDate, gender, phone, line, city]: [
    string,
    string,
    string,
    'male' | 'female',
    string,
    string,
    string,
  ]
): MatchRecord {
  const number = `X${given}${birthDate}`;
  return {
    given: [given],
    family: [family],
    birthDate,
    gender,
    phones: [phone],
    emails: [],
    identifiers: [{ system: `urn:stranger:${family.toLowerCase()}`, value: number }],
    address: { line: [line], city },
  };
}

function tryStrangers(document: MatchingModel): string[] | undefined {
  const model = compileModel(document);
  const prepared = STRANGERS.map((record) => prepare(model, record));
  let linked = 0;
  let reviewed = 0;
  for (const [at, a] of prepared.entries()) {
    for (const b of prepared.slice(at + 1)) {
      const { decision } = score(model, a, b);
      if (decision === 'match') linked++;
      if (decision === 'review') reviewed++;
    }
  }
  const pairs = (prepared.length * (prepared.length - 1)) / 2;
  if (linked > 0) return [`of ${pairs} pairs of made-up strangers it links ${linked}.`];
  if (reviewed > pairs / 20) return [`of ${pairs} pairs of made-up strangers it sends ${reviewed} to a steward.`];
  return undefined;
}
