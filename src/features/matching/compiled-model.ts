import { BIRTH_DATE_LEVELS } from './birth-date.ts';
import { type CheckTest, checkTest } from './check-digits.ts';
import type { Frequencies, FrequencyField } from './frequencies.ts';
import { systemPattern } from './identifier.ts';
import {
  type CheckDigitRule,
  CONTACT_LEVELS,
  GENDER_LEVELS,
  type IDENTIFIER_KINDS,
  LINE_LEVELS,
  type MatchingModel,
  NAME_LEVELS,
  PLACE_LEVELS,
} from './model-document.ts';

/** Places of the fields in the arrays of levels and weights. Identifiers stand apart: a record may have several systems. */
export const FIELDS = [
  'given',
  'family',
  'birthDate',
  'gender',
  'phone',
  'email',
  'address.line',
  'address.postalCode',
  'address.city',
  'address.state',
  'mothersMaidenName',
] as const;
export const GIVEN = 0;
export const FAMILY = 1;
export const BIRTH_DATE = 2;
export const GENDER = 3;
export const PHONE = 4;
export const EMAIL = 5;
export const LINE = 6;
export const POSTAL_CODE = 7;
export const CITY = 8;
export const STATE = 9;
export const MOTHER = 10;

export const FIELD_LEVELS: readonly (readonly string[])[] = [
  NAME_LEVELS,
  NAME_LEVELS,
  BIRTH_DATE_LEVELS,
  GENDER_LEVELS,
  CONTACT_LEVELS,
  CONTACT_LEVELS,
  LINE_LEVELS,
  CONTACT_LEVELS,
  PLACE_LEVELS,
  PLACE_LEVELS,
  CONTACT_LEVELS,
];
/** Level of a field that one side lacks. */
export const MISSING = -1;

type Kind = (typeof IDENTIFIER_KINDS)[number];
export interface CompiledIdentifierKind {
  readonly kind: Kind;
  readonly fits: readonly ((system: string) => boolean)[];
  /** True when a number's check digit is right; undefined where nobody knows how it is reckoned. */
  readonly check: CheckTest | undefined;
  readonly checkRule: CheckDigitRule | undefined;
  /** By contact level: exact, close, different. */
  readonly weights: Float64Array;
  /** Shares of true pairs and of pairs of strangers, by the same levels. */
  readonly m: Float64Array;
  readonly u: Float64Array;
}

/** A model ready for use. Immutable but for the cache of identifier systems, which holds no values of records. */
export interface CompiledModel {
  readonly document: MatchingModel;
  readonly version: string;
  readonly priorWeight: number;
  /** log2(m/u), by field and level. */
  readonly weights: readonly Float64Array[];
  /** log2 u of exact agreement, given and family: what the term frequency replaces. */
  readonly exactLog2U: readonly [number, number];
  readonly kindOf: (system: string) => CompiledIdentifierKind;
  readonly shareLog2: (field: FrequencyField, name: string) => number;
  readonly skip: {
    readonly given: ReadonlySet<string>;
    readonly family: ReadonlySet<string>;
    readonly birthDates: ReadonlySet<string>;
    readonly emails: ReadonlySet<string>;
  };
}

export interface CompileOptions {
  /** Replaces the model's own table where it knows a name. */
  readonly frequencies?: Frequencies;
  /** Replaces the model's population in the prior, where the caller knows how many people there are. */
  readonly population?: number;
}

export function compileModel(document: MatchingModel, options: CompileOptions = {}): CompiledModel {
  const { fields, skip } = document;
  const ordered = orderedFields(document);
  return {
    document,
    version: document.version,
    priorWeight: -Math.log2(options.population ?? document.prior.population),
    weights: ordered.map((field, index) => weightsOf(field.levels, FIELD_LEVELS[index] ?? [])),
    exactLog2U: [Math.log2(fields.given.levels.exact.u), Math.log2(fields.family.levels.exact.u)],
    kindOf: kindFinder(document),
    shareLog2: shareFinder(document, options.frequencies),
    skip: {
      given: new Set(skip.given),
      family: new Set(skip.family),
      birthDates: new Set(skip.birthDates),
      emails: new Set(skip.emails),
    },
  };
}

function orderedFields({ fields }: MatchingModel): readonly { readonly levels: Chances }[] {
  return [
    fields.given,
    fields.family,
    fields.birthDate,
    fields.gender,
    fields.phone,
    fields.email,
    fields.addressLine,
    fields.postalCode,
    fields.city,
    fields.state,
    fields.mothersMaidenName,
  ];
}

type Chances = Readonly<Record<string, { readonly m: number; readonly u: number }>>;

/** A field's shares of true pairs and of strangers, by level; where training starts. */
export function levelChances(
  model: CompiledModel,
  field: number,
): { readonly m: Float64Array; readonly u: Float64Array } {
  const levels = orderedFields(model.document)[field]?.levels ?? {};
  const names = FIELD_LEVELS[field] ?? [];
  return { m: sharesOf(levels, names, 'm'), u: sharesOf(levels, names, 'u') };
}

function sharesOf(levels: Chances, names: readonly string[], side: 'm' | 'u'): Float64Array {
  return Float64Array.from(names, (name) => levels[name]?.[side] ?? 1e-6);
}

function weightsOf(levels: Chances, names: readonly string[]): Float64Array {
  return Float64Array.from(names, (name) => {
    const chances = levels[name];
    return chances === undefined ? 0 : Math.log2(chances.m / chances.u);
  });
}

function kindFinder(document: MatchingModel): (system: string) => CompiledIdentifierKind {
  const kinds = document.identifiers.map((kind) => ({
    kind: kind.kind,
    fits: kind.systems.map(systemPattern),
    checkRule: kind.check,
    check: kind.check === undefined ? undefined : checkTest(kind.check.digits, kind.check.length),
    weights: weightsOf(kind.levels, CONTACT_LEVELS),
    m: sharesOf(kind.levels, CONTACT_LEVELS, 'm'),
    u: sharesOf(kind.levels, CONTACT_LEVELS, 'u'),
  }));
  // What no pattern fits counts as local with no weight at all: nobody said what it means.
  const even = new Float64Array(CONTACT_LEVELS.length).fill(1 / CONTACT_LEVELS.length);
  const unknown: CompiledIdentifierKind = {
    kind: 'local',
    fits: [],
    check: undefined,
    checkRule: undefined,
    weights: new Float64Array(CONTACT_LEVELS.length),
    m: even,
    u: even,
  };
  const known = new Map<string, CompiledIdentifierKind>();
  return (system) => {
    let kind = known.get(system);
    if (kind === undefined) {
      kind = kinds.find(({ fits }) => fits.some((fit) => fit(system))) ?? unknown;
      if (known.size < SYSTEMS_REMEMBERED_MAX) known.set(system, kind);
    }
    return kind;
  };
}
const SYSTEMS_REMEMBERED_MAX = 10_000;

function shareFinder(document: MatchingModel, given: Frequencies | undefined): CompiledModel['shareLog2'] {
  const tables = {
    given: new Map(Object.entries(document.frequencies.given)),
    family: new Map(Object.entries(document.frequencies.family)),
  };
  return (field, name) => {
    const { unlistedShare, leastShare } = document.fields[field].frequency;
    const share = given?.share(field, name) ?? tables[field].get(name) ?? unlistedShare;
    return Math.log2(Math.max(share, leastShare));
  };
}
