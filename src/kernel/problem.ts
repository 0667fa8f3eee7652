import type { NodeScope } from './access.ts';

/**
 * The one refusal type. A feature throws `Problem` with a code of its own closed union; one mapper (platform/http) turns it
 * into an OperationOutcome under `/fhir` and into problem+json (RFC 9457) elsewhere. `publicDetail` is what a caller may
 * read: it never carries a health value, a name or an identifier. `privateDetail` may go to the log and obeys the same rule.
 */
export type ProblemKind =
  | 'invalid' // 400: the request does not parse or does not satisfy its schema
  | 'unprocessable' // 422: well-formed, but breaks a rule of FHIR or of the registry
  | 'unauthenticated' // 401
  | 'forbidden' // 403
  | 'not-found' // 404
  | 'method-not-allowed' // 405
  | 'not-acceptable' // 406
  | 'conflict' // 409
  | 'gone' // 410
  | 'precondition-failed' // 412
  | 'precondition-required' // 428
  | 'too-large' // 413
  | 'unsupported-media-type' // 415
  | 'too-many-requests' // 429
  | 'internal' // 500
  | 'unavailable'; // 503: try again later, nothing was lost

export interface ProblemOptions {
  readonly cause?: unknown;
  readonly privateDetail?: string;
  /** FHIRPath expressions of the offending elements, for OperationOutcome.issue.expression. */
  readonly expression?: readonly string[];
  /** FHIR issue-type code where the kind's default is not exact, e.g. `code-invalid`. */
  readonly fhirCode?: string;
  /** HTTP status where an IHE profile asks for another one than the kind's default. */
  readonly httpStatus?: number;
  readonly retryAfterSeconds?: number;
  /** Further issues found in the same input, each with its own place. */
  readonly issues?: readonly ProblemIssue[];
}

export interface ProblemIssue {
  readonly detail: string;
  readonly expression?: readonly string[];
  readonly fhirCode?: string;
  readonly severity?: 'error' | 'warning' | 'information';
}

export class Problem<Code extends string = string> extends Error {
  readonly kind: ProblemKind;
  readonly code: Code;
  readonly publicDetail: string;
  readonly options: ProblemOptions;

  constructor(kind: ProblemKind, code: Code, publicDetail: string, options: ProblemOptions = {}) {
    super(`${code}: ${publicDetail}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Problem';
    this.kind = kind;
    this.code = code;
    this.publicDetail = publicDetail;
    this.options = options;
  }
}

/** `error instanceof Problem` with a `code` that is a string; the bare operator would make it an `any`. */
export function isProblem(error: unknown): error is Problem {
  return error instanceof Problem;
}

/** A node asked for an interaction it was not given, or its token was not. */
export function scopeMissing(scope: NodeScope): Problem<'scope-missing'> {
  const text = `This node or its token lacks the scope "${scope}", which this interaction needs. An administrator gives scopes on the node's page.`;
  return new Problem('forbidden', 'scope-missing', text);
}

/** The node's certificate alone is not enough for anything that asks a permission. */
export function tokenMissing(): Problem<'token-missing'> {
  const text =
    'This node needs an access token (Authorization: Bearer …) besides its certificate. POST /oauth/token gives one.';
  return new Problem('unauthenticated', 'token-missing', text);
}
