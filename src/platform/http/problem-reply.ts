import type { Problem, ProblemKind } from '../../kernel/problem.ts';

/**
 * The one mapper from a refusal to what the client reads: OperationOutcome under /fhir, problem+json (RFC 9457) elsewhere.
 * Only `publicDetail` and the issues go out; cause and privateDetail end here.
 */
interface KindFacts {
  readonly status: number;
  readonly title: string;
  /** FHIR R4 issue-type (http://hl7.org/fhir/issue-type). */
  readonly fhir: string;
}

const KINDS: Readonly<Record<ProblemKind, KindFacts>> = {
  invalid: { status: 400, title: 'The request is not valid', fhir: 'invalid' },
  unprocessable: { status: 422, title: 'The content breaks a rule', fhir: 'processing' },
  unauthenticated: { status: 401, title: 'Sign-in needed', fhir: 'login' },
  forbidden: { status: 403, title: 'Not allowed', fhir: 'forbidden' },
  'not-found': { status: 404, title: 'Not found', fhir: 'not-found' },
  'method-not-allowed': { status: 405, title: 'Method not allowed', fhir: 'not-supported' },
  'not-acceptable': { status: 406, title: 'No such format', fhir: 'not-supported' },
  conflict: { status: 409, title: 'Conflict', fhir: 'conflict' },
  gone: { status: 410, title: 'Gone', fhir: 'deleted' },
  'precondition-failed': { status: 412, title: 'Changed in the meantime', fhir: 'conflict' },
  'precondition-required': { status: 428, title: 'Precondition required', fhir: 'required' },
  'too-large': { status: 413, title: 'Too large', fhir: 'too-long' },
  'unsupported-media-type': { status: 415, title: 'Unsupported content type', fhir: 'not-supported' },
  'too-many-requests': { status: 429, title: 'Too many requests', fhir: 'throttled' },
  internal: { status: 500, title: 'Something went wrong here', fhir: 'exception' },
  unavailable: { status: 503, title: 'Not available now', fhir: 'transient' },
};

export function problemStatus(problem: Problem): number {
  return problem.options.httpStatus ?? KINDS[problem.kind].status;
}

export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly requestId: string;
  readonly issues?: readonly { readonly detail: string; readonly path?: string }[];
}

export function problemDocument(problem: Problem, requestId: string): ProblemDocument {
  const issues = problem.options.issues?.map((issue) => {
    const path = issue.expression?.[0];
    return path === undefined ? { detail: issue.detail } : { detail: issue.detail, path };
  });
  return {
    type: `https://careseal.org/problems/${problem.code}`,
    title: KINDS[problem.kind].title,
    status: problemStatus(problem),
    detail: problem.publicDetail,
    code: problem.code,
    requestId,
    ...(issues === undefined ? {} : { issues }),
  };
}

export interface OperationOutcomeBody {
  readonly resourceType: 'OperationOutcome';
  readonly issue: readonly Readonly<Record<string, unknown>>[];
}

/** `diagnostics` carries the problem's code and the request id, so that a report can be found in the log. */
export function operationOutcome(problem: Problem, requestId: string): OperationOutcomeBody {
  const facts = KINDS[problem.kind];
  const { expression, fhirCode, issues } = problem.options;
  const severity = problem.kind === 'internal' ? 'fatal' : 'error';
  const first = {
    severity,
    code: fhirCode ?? facts.fhir,
    details: { text: problem.publicDetail },
    diagnostics: `${problem.code} (request ${requestId})`,
    ...(expression === undefined || expression.length === 0 ? {} : { expression: [...expression] }),
  };
  const further = (issues ?? []).map((issue) => ({
    severity: issue.severity ?? 'error',
    code: issue.fhirCode ?? fhirCode ?? facts.fhir,
    details: { text: issue.detail },
    ...(issue.expression === undefined || issue.expression.length === 0 ? {} : { expression: [...issue.expression] }),
  }));
  return { resourceType: 'OperationOutcome', issue: [first, ...further] };
}

/** Headers a status asks for: RFC 9110 §11.6.1 (401), §15.5.6 (405 is added by the door), §10.2.3 (429, 503). */
export function problemHeaders(problem: Problem, door: string): Record<string, string> {
  const headers: Record<string, string> = {};
  const status = problemStatus(problem);
  if (status === 401) headers['www-authenticate'] = door === 'nodes' ? 'ClientCertificate' : 'Session';
  if (problem.options.retryAfterSeconds !== undefined)
    headers['retry-after'] = String(Math.ceil(problem.options.retryAfterSeconds));
  return headers;
}

/** Whether a FHIR client asked for XML: `_format` wins over Accept (FHIR R4 §3.1.0.1.11). */
export function wantsXml(url: string, accept: string | undefined): boolean {
  const format = /[?&]_format=([^&]*)/.exec(url)?.[1];
  if (format !== undefined) return /xml/i.test(format);
  if (accept === undefined) return false;
  const xml = accept.search(/\bxml\b|\+xml/i);
  const json = accept.search(/\bjson\b|\+json/i);
  return xml >= 0 && (json < 0 || xml < json);
}
