import type { z } from 'zod';
import { Problem, type ProblemIssue } from '../../kernel/problem.ts';

export type DoorCode =
  | 'input-invalid'
  | 'route-unknown'
  | 'method-not-allowed'
  | 'body-not-expected'
  | 'body-too-large'
  | 'body-incomplete'
  | 'body-too-slow'
  | 'request-too-slow'
  | 'headers-too-large'
  | 'request-broken'
  | 'content-type-unsupported'
  | 'url-invalid'
  | 'too-many-requests'
  | 'closing'
  | 'internal-error';

/**
 * Names the field and what is wrong with it, never the value. zod's own messages state what was expected; the one that
 * quotes input (unknown keys) is replaced.
 */
export function inputProblem(where: 'path' | 'query' | 'body', error: z.ZodError): Problem<DoorCode> {
  const issues: ProblemIssue[] = error.issues.slice(0, 20).map((issue) => {
    const field = fieldName(where, issue.path);
    const text = issue.code === 'unrecognized_keys' ? 'has a field that is not known here' : issue.message;
    return { detail: `${field}: ${text}`, expression: [field] };
  });
  const first = issues[0]?.detail ?? where;
  return new Problem<DoorCode>('invalid', 'input-invalid', `The request was not understood. ${first}`, { issues });
}

/** Keys of records come from the caller; only those that look like field names are repeated. */
function fieldName(where: string, path: readonly PropertyKey[]): string {
  const parts = path.map((part) =>
    typeof part === 'number' ? `[${part}]` : /^[A-Za-z_][\w-]{0,39}$/.test(String(part)) ? `.${String(part)}` : '.?',
  );
  return `${where}${parts.join('')}`;
}

/** fastify's own refusals, in our words. Anything not listed is unknown and becomes a 500 without a word about it. */
const FRAMEWORK: Readonly<Record<string, () => Problem<DoorCode>>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () =>
    new Problem('too-large', 'body-too-large', 'The request body is larger than this address accepts.'),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () =>
    new Problem('invalid', 'body-incomplete', 'The request body does not have the length that was announced.'),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () =>
    new Problem('unsupported-media-type', 'content-type-unsupported', 'This address takes application/json.'),
  FST_ERR_BAD_URL: () => new Problem('invalid', 'url-invalid', 'The address is not a valid URL.'),
  FST_ERR_MAX_PARAM_LENGTH: () => new Problem('not-found', 'route-unknown', 'There is nothing at this address.'),
  ECONNRESET: () => new Problem('invalid', 'body-incomplete', 'The connection ended before the request did.'),
};

export function asProblem(error: unknown): Problem {
  if (isProblem(error)) return error;
  const code = errorCode(error);
  const known = code === undefined ? undefined : FRAMEWORK[code];
  if (known !== undefined) return known();
  return new Problem<DoorCode>(
    'internal',
    'internal-error',
    'Something went wrong on the server. Nothing was changed unless you were told so. The request id helps to find out why.',
    { cause: error },
  );
}

/** `instanceof` alone would leave the code's type open. */
function isProblem(error: unknown): error is Problem {
  return error instanceof Problem;
}

export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/**
 * What of an unknown error may go to the log: its class, its code and where it happened. Messages stay out, since a
 * driver's or parser's message may quote the value it stumbled over.
 */
export function errorFacts(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: typeof error };
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const cause = error.cause === undefined ? {} : { cause: errorFacts(error.cause) };
  return {
    error: error.name,
    errorCode: errorCode(error),
    at: frames.slice(0, 8).map((frame) => frame.trim()),
    ...cause,
  };
}
