import { Problem } from '../kernel/problem.ts';
import type { FhirProblemCode } from './issue.ts';

/** Names and values of a query string or form, decoded, in their order; repeats kept. */
export type FormPairs = readonly (readonly [name: string, value: string])[];

const PAIRS_MAX = 100;
const VALUE_LENGTH_MAX = 4096;

/** Decodes `application/x-www-form-urlencoded`. Strict: what is no UTF-8 or no percent-encoding is refused. */
export function parseForm(raw: string): FormPairs {
  if (raw === '') return [];
  const parts = raw.split('&').filter((part) => part !== '');
  if (parts.length > PAIRS_MAX) throw refused(`A query has at most ${PAIRS_MAX} parameters.`);
  return parts.map((part) => {
    const equals = part.indexOf('=');
    const name = decode(equals < 0 ? part : part.slice(0, equals));
    const value = decode(equals < 0 ? '' : part.slice(equals + 1));
    if (value.length > VALUE_LENGTH_MAX)
      throw refused(`A value in a query has at most ${VALUE_LENGTH_MAX} characters.`);
    // Finding control characters is the purpose.
    if (/[\u0000-\u001f]/.test(name + value)) throw refused('A query must not contain control characters.');
    return [name, value] as const;
  });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw refused('The query is not percent-encoded UTF-8.');
  }
}

function refused(detail: string): Problem {
  return new Problem<FhirProblemCode>('invalid', 'fhir-search', detail, { fhirCode: 'value' });
}

export function printForm(pairs: FormPairs): string {
  return pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
}
