import { Problem } from '../kernel/problem.ts';
import { type FormPairs, parseForm } from './form.ts';
import type { FhirProblemCode } from './issue.ts';

/** Headers that make a request conditional or say what to answer (R4 §3.1.0.5 to §3.1.0.8). */

/** Versions are weak ETags: `W/"3"`. */
export const etag = (version: number): string => `W/"${version}"`;

/** HTTP's own date, to the second. */
export const httpDate = (unixMs: number): string => new Date(unixMs).toUTCString();

/** The version of `W/"3"`, `"3"` or `3`; undefined without the header. Throws Problem 400 on anything else. */
export function parseIfMatch(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const version = /^(?:W\/)?"([1-9][0-9]{0,8})"$|^([1-9][0-9]{0,8})$/.exec(header.trim());
  if (!version) throw malformed('If-Match takes one version: W/"3".');
  return Number(version[1] ?? version[2]);
}

export interface ReadConditions {
  readonly ifNoneMatch: string | undefined;
  readonly ifModifiedSince: string | undefined;
}

/** May a read be answered with 304? If-None-Match wins over If-Modified-Since (RFC 9110 §13.2.2). */
export function isNotModified(conditions: ReadConditions, version: number, lastUpdatedMs: number): boolean {
  const { ifNoneMatch, ifModifiedSince } = conditions;
  if (ifNoneMatch !== undefined) {
    return ifNoneMatch
      .split(',')
      .map((tag) => tag.trim().replace(/^W\//, ''))
      .some((tag) => tag === '*' || tag === `"${version}"`);
  }
  const since = ifModifiedSince === undefined ? Number.NaN : Date.parse(ifModifiedSince);
  // HTTP dates have no milliseconds.
  return Math.floor(lastUpdatedMs / 1000) * 1000 <= since;
}

/** `If-None-Exist: identifier=system|value`, perhaps with a leading `?`. */
export function parseIfNoneExist(header: string | undefined): FormPairs | undefined {
  if (header === undefined || header.trim() === '') return undefined;
  return parseForm(header.trim().replace(/^(?:Patient)?\?/, ''));
}

export interface Preferences {
  /** What a write answers with; undefined where the client leaves it to the server. */
  readonly return: 'minimal' | 'representation' | 'OperationOutcome' | undefined;
  readonly strict: boolean;
}

const RETURNS = ['minimal', 'representation', 'OperationOutcome'] as const;

/** `Prefer: return=minimal; handling=strict`. Unknown preferences are ignored, as RFC 7240 §2 asks. */
export function parsePrefer(header: string | undefined): Preferences {
  const wishes = new Map(
    (header ?? '').split(/[,;]/).map((wish) => {
      const [name = '', value = ''] = wish.split('=').map((part) => part.trim().replace(/^"|"$/g, ''));
      return [name.toLowerCase(), value] as const;
    }),
  );
  const asked = wishes.get('return');
  return {
    return: RETURNS.find((known) => known === asked),
    strict: wishes.get('handling') === 'strict',
  };
}

function malformed(detail: string): Problem {
  return new Problem<FhirProblemCode>('invalid', 'fhir-precondition', detail, { fhirCode: 'value' });
}
