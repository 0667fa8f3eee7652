/**
 * Registration with an OpenHIM core and heartbeats to it (its API as of version 5 to 8). The core's certificate is verified like
 * any other; there is no switch that says otherwise. The password is hashed as the core asks and never sent.
 */
import { randomToken, sha256Hex, sha512Hex } from '../../crypto/index.ts';
import { utf8Decode, utf8Encode } from '../../kernel/bytes.ts';
import { isProblem, Problem } from '../../kernel/problem.ts';
import type { Outbound } from '../../platform/outbound/index.ts';

export interface MediatorOptions {
  /** `https://openhim.example.org:8080`. */
  readonly coreUrl: string;
  readonly user: string;
  readonly password: () => Promise<string>;
  /** Where the core reaches FHIR: `https://registry.example.org:8444/fhir`. */
  readonly fhirUrl: string;
  readonly softwareVersion: string;
  readonly outbound: Outbound;
  readonly uptimeSeconds: () => number;
  readonly log: { info(message: string): void; warn(message: string, facts: object): void };
  /** Between heartbeats; OpenHIM calls a mediator lost after about a minute of silence. */
  readonly everyMs?: number;
}

export interface Mediator {
  /** The mediator's name in the core: the same for one installation, whenever it starts. */
  readonly urn: string;
  start(): void;
  stop(): Promise<void>;
  /** One turn: registers where it is not registered, else a heartbeat. Throws what went wrong. */
  beat(): Promise<void>;
}

const EVERY_MS = 10_000;
const LONGEST_PAUSE_MS = 300_000;

export function createMediator(options: MediatorOptions): Mediator {
  const urn = urnOf(options.fhirUrl);
  let isRegistered = false;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let turn: Promise<void> = Promise.resolve();
  let stopped = false;

  async function beat(): Promise<void> {
    if (!isRegistered) {
      await call(options, { method: 'POST', path: '/mediators', body: registration(options, urn), expected: [201] });
      isRegistered = true;
      options.log.info('Registered with OpenHIM as a mediator');
      return;
    }
    const body = { uptime: options.uptimeSeconds() };
    const path = `/mediators/${encodeURIComponent(urn)}/heartbeat`;
    const status = await call(options, { method: 'POST', path, body, expected: [200, 404] });
    // The core has forgotten us: its database was replaced.
    if (status === 404) {
      isRegistered = false;
      await beat();
    }
  }

  async function once(): Promise<void> {
    try {
      await beat();
      failures = 0;
    } catch (error) {
      failures += 1;
      // Said once, not at every heartbeat.
      if (failures === 1)
        options.log.warn('OpenHIM does not take this registry as its mediator; it is tried again', reasonOf(error));
    }
    if (stopped) return;
    const every = options.everyMs ?? EVERY_MS;
    const pause = failures === 0 ? every : Math.min(LONGEST_PAUSE_MS, every * 2 ** Math.min(failures, 8));
    timer = setTimeout(() => {
      turn = once();
    }, pause);
    timer.unref();
  }

  return {
    urn,
    beat,
    start() {
      turn = once();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await turn;
    },
  };
}

/** Never the error itself: what a core answers may hold anything. */
function reasonOf(error: unknown): object {
  return { problemCode: isProblem(error) ? error.code : 'internal' };
}

function urnOf(fhirUrl: string): string {
  const hex = sha256Hex(utf8Encode(`careseal mediator ${fhirUrl}`));
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function registration({ fhirUrl, softwareVersion }: MediatorOptions, urn: string): object {
  const { hostname, port, pathname } = new URL(fhirUrl);
  const endpoint = {
    name: 'Careseal FHIR',
    host: hostname,
    port: String(port || 443),
    path: pathname,
    primary: true,
    type: 'http',
  };
  return {
    urn,
    version: /^\d+\.\d+\.\d+/.exec(softwareVersion)?.[0] ?? '0.0.0',
    name: 'Careseal client registry',
    description: 'Client registry: FHIR R4, IHE PDQm, PIXm, PMIR',
    endpoints: [endpoint],
    defaultChannelConfig: [
      {
        name: 'Careseal client registry',
        urlPattern: `^${pathname}(/.*)?$`,
        methods: ['GET', 'POST', 'PUT', 'DELETE'],
        type: 'http',
        authType: 'private',
        // Nobody: an administrator of OpenHIM decides who may.
        allow: [],
        // `secured`: the core speaks TLS to us, shows its own certificate, and checks ours.
        routes: [{ ...endpoint, path: '', secured: true, status: 'enabled' }],
        status: 'enabled',
        // Bodies are health data; the core need not keep them.
        requestBody: false,
        responseBody: false,
      },
    ],
  };
}

interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: object;
  readonly expected: readonly number[];
}

async function call(options: MediatorOptions, { method, path, body, expected }: Call): Promise<number> {
  const base = options.coreUrl.replace(/\/+$/, '');
  const headers = { 'content-type': 'application/json', ...(await authHeaders(options, base)) };
  const { status } = await options.outbound.request({
    method,
    url: `${base}${path}`,
    headers,
    body: JSON.stringify(body),
  });
  if (!expected.includes(status)) throw refused(status);
  return status;
}

/**
 * The core's own scheme: it tells the user's salt and its time; sha512(sha512(salt + password) + request salt + time) proves the
 * password for this call.
 */
async function authHeaders(
  { outbound, user, password }: MediatorOptions,
  base: string,
): Promise<Record<string, string>> {
  const answer = await outbound.request({ method: 'GET', url: `${base}/authenticate/${encodeURIComponent(user)}` });
  if (answer.status !== 200) throw refused(answer.status);
  const { salt, ts } = detailsIn(answer.body);
  const hash = (text: string): string => sha512Hex(utf8Encode(text));
  const requestSalt = randomToken(128);
  const token = hash(`${hash(`${salt}${await password()}`)}${requestSalt}${ts}`);
  return { 'auth-username': user, 'auth-ts': ts, 'auth-salt': requestSalt, 'auth-token': token };
}

function detailsIn(body: Uint8Array): { readonly salt: string; readonly ts: string } {
  try {
    const parsed: unknown = JSON.parse(utf8Decode(body));
    if (typeof parsed === 'object' && parsed !== null && 'salt' in parsed && 'ts' in parsed) {
      const { salt, ts } = parsed;
      if (typeof salt === 'string' && typeof ts === 'string' && !/[\r\n]/.test(ts)) return { salt, ts };
    }
  } catch {
    // No JSON: said below, as any other answer that is not the core's.
  }
  throw new Problem('unavailable', 'openhim-answer', 'This does not answer as an OpenHIM core does.');
}

const refused = (status: number): Problem =>
  new Problem('unavailable', `openhim-${status}`, `OpenHIM answered ${status}. Check its user name and password.`);
