import { isProblem } from '../../kernel/problem.ts';
import type { TargetFailure } from './wire.ts';

/** The receiver answered, and did not take the events. */
export class AnswerRefused extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`The receiver answered ${status}`);
    this.name = 'AnswerRefused';
    this.status = status;
  }
}

/** Its row is not as an administrator set it: see target-binding.ts. */
export class TargetChanged extends Error {}

const CODES: Readonly<Record<string, TargetFailure>> = {
  ECONNREFUSED: 'refused',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ETIMEDOUT: 'timeout',
  ESTALLED: 'stalled',
  ECONNRESET: 'closed',
  EPIPE: 'closed',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate',
  'outbound-unreachable': 'unreachable',
  'outbound-tls': 'certificate',
  'outbound-timeout': 'timeout',
  'outbound-too-large': 'answer',
};

/** What went wrong, in one of the few words the page can explain. The other side's own words are never kept. */
export function failureOf(error: unknown): TargetFailure {
  if (error instanceof AnswerRefused) return error.status === 401 || error.status === 403 ? 'identity' : 'answer';
  if (error instanceof TargetChanged) return 'changed';
  const code = isProblem(error) ? error.code : codeOf(error);
  if (code === undefined) return 'internal';
  const known = CODES[code];
  if (known !== undefined) return known;
  // OpenSSL's verdicts on the other side's chain, and its alerts about ours.
  if (/^ERR_SSL_.*ALERT|ERR_SSL_TLSV1|ERR_SSL_SSLV3_ALERT/.test(code)) return 'identity';
  if (/CERT|SELF_SIGNED|UNABLE_TO|CRL|ERR_SSL/.test(code)) return 'certificate';
  return 'internal';
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
