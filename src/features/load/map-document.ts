import { z } from 'zod';

/**
 * The mapping document: which column of a file becomes which element of a Patient. The page writes it and
 * `careseal load --map` reads it; one document serves both. Unknown keys are refused, so that a typing error is not a silent loss.
 */
const ColumnName = z.string().min(1).max(300);
const Fixed = z.strictObject({ value: z.string().min(1).max(1000) });

/** One value: a column, a column written out, or the same text for every row. */
const Source = z.union([ColumnName, z.strictObject({ column: ColumnName }), Fixed]);
/** One or several values: the columns in order, empty ones left out. */
const Sources = z.union([Source, z.array(Source).min(1).max(20)]);

/**
 * Accepted date formats. `auto` takes ISO dates and YYYYMMDD, nothing that could be read in two ways.
 * In a format YYYY MM DD, M, D, YY and MMM (English month names) may stand in any order with any separators.
 */
export const DateFormat = z
  .string()
  .min(2)
  .max(40)
  .regex(
    /^(auto|[YMD /.,\-T:_]+)$/,
    'a date format has only Y, M, D and separators, for example YYYYMMDD or DD/MM/YYYY',
  );

const BirthDate = z.union([
  ColumnName,
  z.strictObject({
    column: ColumnName,
    format: z.union([DateFormat, z.array(DateFormat).min(1).max(5)]).optional(),
    /** Texts that mean "not known", beside the empty one. */
    unknown: z.array(z.string().max(100)).max(50).optional(),
  }),
]);

const GenderValue = z.enum(['male', 'female', 'other', 'unknown']);
const Gender = z.union([
  ColumnName,
  z.strictObject({
    column: ColumnName,
    /** What the file writes → FHIR's code; compared without regard to case. What is not listed falls back to the usual words (m, f, male, …). */
    values: z.record(z.string().max(100), GenderValue).optional(),
  }),
  z.strictObject({ value: GenderValue }),
]);

const Name = z.union([
  ColumnName,
  z.strictObject({
    column: ColumnName,
    order: z.enum(['given-family', 'family-given', 'family-comma-given']).optional(),
  }),
]);

const Identifier = z.strictObject({
  system: z.string().min(1).max(500),
  column: ColumnName,
  use: z.enum(['usual', 'official', 'temp', 'secondary', 'old']).optional(),
  /** Code of http://terminology.hl7.org/CodeSystem/v2-0203, for example NI or MR. */
  type: z.string().min(1).max(40).optional(),
});

const Address = z.strictObject({
  text: Source.optional(),
  line: Sources.optional(),
  district: Source.optional(),
  city: Source.optional(),
  state: Source.optional(),
  postalCode: Source.optional(),
  country: Source.optional(),
  use: z.enum(['home', 'work', 'temp', 'old', 'billing']).optional(),
});

export const MapDocument = z.strictObject({
  /** The column that names a record within the domain: the same id means the same record when a file is loaded again. */
  id: ColumnName.optional(),
  given: Sources.optional(),
  family: Sources.optional(),
  /** A whole name in one column; used where given and family are not mapped. */
  name: Name.optional(),
  prefix: Source.optional(),
  suffix: Source.optional(),
  gender: Gender.optional(),
  birthDate: BirthDate.optional(),
  deceased: z.union([ColumnName, z.strictObject({ column: ColumnName, format: DateFormat.optional() })]).optional(),
  multipleBirth: Source.optional(),
  phone: Sources.optional(),
  email: Sources.optional(),
  identifier: z.array(Identifier).max(20).optional(),
  address: Address.optional(),
  mothersMaidenName: Source.optional(),
  maritalStatus: Source.optional(),
  language: Source.optional(),
  active: Source.optional(),
  /** How to read the file where the program's own finding is not right. */
  csv: z
    .strictObject({
      delimiter: z.enum([',', ';', '\t', '|']).optional(),
      encoding: z.enum(['utf-8', 'utf-16le', 'utf-16be', 'windows-1252', 'iso-8859-1']).optional(),
    })
    .optional(),
});
export type MapDocument = z.infer<typeof MapDocument>;
