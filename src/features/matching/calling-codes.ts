import metadata from 'libphonenumber-js/min/metadata';

/**
 * Country calling codes and what numbers behind them look like, from libphonenumber's data (numbering plans as the countries tell
 * the ITU). Only the data is used: its parser would cost as much per number as everything else of a record.
 */
const CODES: ReadonlyMap<string, readonly string[]> = new Map(Object.entries(metadata.country_calling_codes));
/** Place of the pattern of national numbers in a country's entry. */
const PATTERN = 2;

/** How many digits at the beginning are a country's code: no code begins like another, so at most one fits. 0 where none does. */
export function callingCodeLength(digits: string): number {
  for (let length = 1; length <= 3; length++) if (CODES.has(digits.slice(0, length))) return length;
  return 0;
}

const patterns = new Map<string, readonly RegExp[]>();

/** Whether numbers like this are given out behind the country code. */
export function isNationalNumber(code: string, national: string): boolean {
  let known = patterns.get(code);
  if (known === undefined) {
    known = (CODES.get(code) ?? []).flatMap(patternOf);
    patterns.set(code, known);
  }
  return known.some((pattern) => pattern.test(national));
}

function patternOf(country: string): RegExp[] {
  const entry: unknown = Object.entries(metadata.countries).find(([name]) => name === country)?.[1];
  const pattern: unknown = Array.isArray(entry) ? entry[PATTERN] : undefined;
  return typeof pattern === 'string' ? [new RegExp(`^(?:${pattern})$`)] : [];
}
