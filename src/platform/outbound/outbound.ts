import { lookup as resolveName } from 'node:dns';
import { type IncomingHttpHeaders, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { Problem, type ProblemKind } from '../../kernel/problem.ts';
import { type AddressRules, addressRules } from './addresses.ts';

export type OutboundCode =
  | 'outbound-url' // not https, or with a user name in it
  | 'outbound-forbidden' // leads to this machine or a private network
  | 'outbound-unreachable' // no such name, refused, reset
  | 'outbound-tls' // the other side's certificate does not stand verification
  | 'outbound-timeout'
  | 'outbound-too-large';

export interface OutboundOptions {
  /** Networks (`10.1.0.0/16`) that may be reached though they are private; `any` only for addresses an administrator set. */
  readonly allowedNetworks: readonly string[] | 'any';
  /** Authorities trusted beside the public ones, PEM; asked at each new connection. */
  readonly authoritiesPem?: (() => Promise<string>) | string;
  /** What this server shows of itself where the other side asks for a client certificate. */
  readonly identity?: { readonly certificate: string; readonly key: string };
  /** Idle connections kept per host. */
  readonly keptPerHost?: number;
}

export interface OutboundRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** For the whole exchange, name resolution and TLS included. Default 15 s. */
  readonly timeoutMs?: number;
  /** Largest answer body. Default 1 MiB. */
  readonly answerBytesMax?: number;
  readonly signal?: AbortSignal;
  /** Also `http://`: for what is signed by itself, as lists of revoked certificates are (RFC 5280 §8). Addresses are checked all the same. */
  readonly signedContent?: true;
}

export interface OutboundAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

export interface Outbound {
  /**
   * One exchange over TLS. Redirects are answers like any other. Throws Problem with an OutboundCode; its words name no address,
   * since they may be shown to whoever gave the URL.
   */
  request(what: OutboundRequest): Promise<OutboundAnswer>;
  /** What can be said of a URL without resolving its name: throws `outbound-url` or `outbound-forbidden`. */
  assertAllowed(url: string, options?: Pick<OutboundRequest, 'signedContent'>): URL;
  /** Ends idle connections. */
  close(): void;
}

const TIMEOUT_MS = 15_000;
const ANSWER_BYTES_MAX = 1_048_576;

/** Builds the client. The address is checked where the connection is made, so a name that changes between two looks gains nothing. */
export function createOutbound(options: OutboundOptions): Outbound {
  const rules = addressRules(options.allowedNetworks);
  const agent = new Agent({ keepAlive: true, maxFreeSockets: options.keptPerHost ?? 2, timeout: 60_000 });
  const assertAllowed: Outbound['assertAllowed'] = (text, { signedContent } = {}) =>
    allowedUrl(text, rules, signedContent === true ? /^https?:$/ : /^https:$/);
  const secureFor = secureContexts(options.identity);
  return {
    assertAllowed,
    async request(what) {
      const url = assertAllowed(what.url, what);
      const authorities =
        typeof options.authoritiesPem === 'function' ? await options.authoritiesPem() : options.authoritiesPem;
      return exchange(url, what, { agent, rules, secure: secureFor(authorities) });
    },
    close: () => agent.destroy(),
  };
}

/** Reading the public authorities takes some 20 ms: done once, and again when our own have changed. */
function secureContexts(identity: OutboundOptions['identity']): (authorities: string | undefined) => SecureContext {
  let made: { readonly authorities: string | undefined; readonly secure: SecureContext } | undefined;
  return (authorities) => {
    if (made === undefined || made.authorities !== authorities) {
      const secure = createSecureContext({
        minVersion: 'TLSv1.2',
        ca: authorities === undefined ? [...rootCertificates] : [...rootCertificates, authorities],
        ...(identity === undefined ? {} : { cert: identity.certificate, key: identity.key }),
      });
      made = { authorities, secure };
    }
    return made.secure;
  };
}

function allowedUrl(text: string, rules: AddressRules, protocols: RegExp): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    !protocols.test(url.protocol) ||
    url.username !== '' ||
    url.password !== '' ||
    url.hash !== ''
  )
    throw failure('invalid', 'outbound-url', 'An address that starts with https:// and holds no user name is needed.');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 ? !rules.isAllowed(host) : /(^|\.)localhost\.?$/i.test(host) && !rules.isAllowed('127.0.0.1'))
    throw forbidden();
  return url;
}

interface Context {
  readonly agent: Agent;
  readonly rules: AddressRules;
  readonly secure: SecureContext;
}

function exchange(url: URL, what: OutboundRequest, context: Context): Promise<OutboundAnswer> {
  const timeout = AbortSignal.timeout(what.timeoutMs ?? TIMEOUT_MS);
  const signal = what.signal === undefined ? timeout : AbortSignal.any([timeout, what.signal]);
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(asProblem(error, timeout.aborted));
    const lookup = guardedLookup(context.rules);
    const plain: RequestOptions = { method: what.method, headers: { ...what.headers }, lookup, signal };
    // Node hands it on to tls.connect; its types do not say so.
    const options: RequestOptions & { readonly secureContext: SecureContext } = {
      ...plain,
      agent: context.agent,
      secureContext: context.secure,
      rejectUnauthorized: true,
    };
    const answered = (answer: IncomingMessage): void => {
      readAnswer(answer, what.answerBytesMax ?? ANSWER_BYTES_MAX).then(resolve, fail);
    };
    const sent = url.protocol === 'http:' ? httpRequest(url, plain, answered) : httpsRequest(url, options, answered);
    sent.once('error', fail);
    sent.end(what.body);
  });
}

async function readAnswer(answer: IncomingMessage, bytesMax: number): Promise<OutboundAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) {
      answer.destroy();
      throw failure('unavailable', 'outbound-too-large', 'The other side answered more than is taken.');
    }
    chunks.push(chunk);
  }
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) };
}

/** Every address of the name must be allowed: one private among them is how a name is rebound. */
function guardedLookup(rules: AddressRules): LookupFunction {
  return (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '');
      const [first] = addresses;
      if (first === undefined || addresses.some(({ address }) => !rules.isAllowed(address)))
        return callback(forbidden(), '');
      if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

function asProblem(error: unknown, timedOut: boolean): Problem {
  if (error instanceof Problem) return error as Problem;
  if (timedOut) return failure('unavailable', 'outbound-timeout', 'The other side did not answer in time.', error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/^(CERT|DEPTH|UNABLE|SELF_SIGNED|ERR_TLS|ERR_SSL|EPROTO|INVALID_)/.test(code))
    return failure(
      'unavailable',
      'outbound-tls',
      'The certificate of the other side does not stand verification.',
      error,
    );
  return failure('unavailable', 'outbound-unreachable', 'The other side could not be reached.', error);
}

const forbidden = (): Problem =>
  failure('forbidden', 'outbound-forbidden', 'This address leads to a private network, which is not allowed here.');

function failure(kind: ProblemKind, code: OutboundCode, detail: string, cause?: unknown): Problem {
  return new Problem<OutboundCode>(kind, code, detail, cause === undefined ? {} : { cause });
}
