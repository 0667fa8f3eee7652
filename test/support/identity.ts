import { TOTP } from 'otpauth';
import { createPasswordHasher, type PasswordHasher } from '../../src/crypto/index.ts';
import { type Audit, type AuditInput, createAudit } from '../../src/features/audit/index.ts';
import {
  ALL_PERMISSIONS,
  createIdentity,
  type Identity,
  type IdentityDeps,
  type IdentitySettings,
} from '../../src/features/identity/index.ts';
import type { RoleName } from '../../src/features/identity/wire.ts';
import type { Actor, Principal } from '../../src/kernel/principal.ts';
import type { Clock } from '../../src/kernel/time.ts';
import type { Database } from '../../src/platform/db/index.ts';
import type { RouteReply, RouteRequest } from '../../src/platform/http/route.ts';
import type { KeyRing } from '../../src/store/index.ts';
import { testKeyRing } from './audit.ts';
import { handled } from './handled.ts';
import { type Client, OWN_PAGE, send } from './tls.ts';

/** A clock that a test moves. */
export interface TestClock extends Clock {
  forward(ms: number): void;
}

export function testClock(startMs = Date.UTC(2026, 0, 15, 9, 0, 0)): TestClock {
  let now = startMs;
  return {
    nowMs: () => now,
    forward(ms) {
      now += ms;
    },
  };
}

export const operator: Actor = {
  principal: { kind: 'operator', osUser: 'test', permissions: ALL_PERMISSIONS },
  origin: { door: 'command-line', requestId: '0198f3a0-0000-7000-8000-0000000000c1' },
};
export const BASE_URL = 'https://localhost:8443';
export const PASSWORD = 'seven herons over the lake';

export interface IdentityFixture {
  readonly identity: Identity;
  readonly audit: Audit;
  /** What was handed to the audit log, in order (also within transactions that rolled back). */
  readonly recorded: AuditInput[];
  readonly clock: TestClock;
  readonly keyRing: KeyRing;
}

/** Identity on a test database with fresh keys, a real audit log and a clock that the test moves. */
export function identityFixture(
  database: Database,
  options: {
    clock?: TestClock;
    keyRing?: KeyRing;
    settings?: IdentitySettings;
    mail?: IdentityDeps['mail'];
    bound?: IdentityDeps['bound'];
    passwords?: IdentityDeps['passwords'];
    processes?: number;
  } = {},
): IdentityFixture {
  const clock = options.clock ?? testClock();
  const keyRing = options.keyRing ?? testKeyRing();
  const rethrow = (what: unknown): never => {
    throw what;
  };
  const source = { site: 'careseal.example.org', baseUrl: BASE_URL };
  const log = createAudit({ database, keyRing, clock, source, onFailure: (_code, error) => rethrow(error) });
  const recorded: AuditInput[] = [];
  const audit: Audit = {
    ...log,
    record(tx, inputs) {
      recorded.push(...inputs);
      return log.record(tx, inputs);
    },
    recordNow(inputs) {
      recorded.push(...inputs);
      return log.recordNow(inputs);
    },
  };
  const settings = {
    ...(options.settings === undefined ? {} : { settings: options.settings }),
    ...(options.mail === undefined ? {} : { mail: options.mail }),
    ...(options.bound === undefined ? {} : { bound: options.bound }),
    ...(options.passwords === undefined ? {} : { passwords: options.passwords }),
    ...(options.processes === undefined ? {} : { processes: options.processes }),
  };
  const identity = createIdentity({ database, keyRing, audit, clock, ...settings, onHousekeepingFailure: rethrow });
  return { identity, audit, recorded, clock, keyRing };
}

/** Argon2id as in the server, but of one MiB: for tests whose attackers try thousands of times. */
export const cheapPasswords = (): PasswordHasher =>
  createPasswordHasher({ parallelMax: 1, waitingMax: 32, memoryKiB: 1_024 });

/** Patterns of addresses, made once: an attacker's thousand requests would make them a hundred thousand times. */
const patterns = new Map<string, RegExp>();
function patternOf(path: string): RegExp {
  const pattern = patterns.get(path) ?? new RegExp(`^${path.replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')}$`);
  patterns.set(path, pattern);
  return pattern;
}

const UNBIND = [
  'UPDATE identity.users SET binding = NULL, credentials_binding = NULL',
  ...['memberships', 'organisations', 'roles', 'links', 'exceptions', 'personal_tokens', 'providers'].map(
    (table) => `UPDATE identity.${table} SET binding = NULL`,
  ),
  'UPDATE identity.external_identities SET binding = NULL',
];

/** Rows as a version before bindings left them, bound as at the first start after the upgrade. */
export async function upgradeRows(
  db: { readonly database: Database; readonly ownerDatabase: Database },
  { clock, keyRing }: IdentityFixture,
): Promise<void> {
  for (const [at, text] of UNBIND.entries()) await db.ownerDatabase.run({ name: `test.unbind-${at}`, text });
  const bound = { isSet: async () => false, set: async () => undefined };
  const { identity } = identityFixture(db.database, { clock, keyRing, bound });
  await identity.start();
  await identity.stop();
}

/** Identities behind a real door (identity-door.ts): their browsers speak TLS to it. */
const doors = new WeakMap<Identity, Client>();
export const reachedThrough = (identity: Identity, client: Client): void => void doors.set(identity, client);

/** A browser: keeps cookies, asks like the door does (input schema, principal, access, receipt), at one address. */
export class TestBrowser {
  readonly cookies = new Map<string, string>();
  readonly identity: Identity;
  readonly address: string;

  constructor(identity: Identity, address = '192.0.2.10') {
    this.identity = identity;
    this.address = address;
  }

  principal(): Promise<Principal> {
    const header = [...this.cookies].map(([name, value]) => `__Host-${name}=${value}`).join('; ');
    return this.identity.authenticateUser(header, this.#origin());
  }

  /** The answer's body; throws the Problem of a refusal. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests read answers of many shapes
  async ask(method: string, path: string, body?: object): Promise<any> {
    const { reply } = await this.send(method, path, body);
    return reply.body;
  }

  async send(method: string, path: string, body?: object): Promise<{ reply: RouteReply<unknown> }> {
    const client = doors.get(this.identity);
    if (client !== undefined) return await this.#travel(client, { method, path }, body);
    const [place = '', query = ''] = path.split('?');
    const found = this.#route(method, place);
    const principal = await this.principal();
    const refusal = this.identity.decideAccess(principal, found.route.access);
    if (refusal !== undefined) throw refusal;
    const schema = found.route.input.body;
    const request: RouteRequest<unknown, unknown, unknown> = {
      actor: { principal, origin: this.#origin() },
      method,
      url: path,
      baseUrl: BASE_URL,
      params: found.route.input.params.parse(found.params),
      query: found.route.input.query === 'raw' ? query : found.route.input.query.parse(queryOf(query)),
      body: typeof schema === 'string' ? undefined : schema.parse(body),
      header: (name) => (name.toLowerCase() === 'user-agent' ? 'TestBrowser/1' : undefined),
      cookie: (name) => this.cookies.get(name),
      signal: new AbortController().signal,
    };
    const reply = await handled(found.route, request);
    if (typeof found.route.output !== 'string') found.route.output.parse(reply.body);
    for (const { name, value } of reply.cookies ?? []) {
      if (value === null) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return { reply };
  }

  /** Over TLS, from an address of this machine that stands for the browser's. */
  async #travel(
    client: Client,
    { method, path }: { readonly method: string; readonly path: string },
    body?: object,
  ): Promise<{ reply: RouteReply<unknown> }> {
    const cookie = [...this.cookies].map(([name, value]) => `__Host-${name}=${value}`).join('; ');
    const localAddress = this.address.replace(/^\d+/, '127');
    const answer = await send(
      { ...client, localAddress },
      {
        ...{ method, path },
        headers: {
          ...OWN_PAGE,
          ...{ host: new URL(BASE_URL).host, 'user-agent': 'TestBrowser/1' },
          ...(cookie === '' ? {} : { cookie }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      },
    );
    const said: unknown = answer.text === '' ? undefined : answer.json();
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^__Host-([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/Max-Age=0/.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    if (answer.status >= 400) throw Object.assign(new Error(`${answer.status} ${method} ${path}`), said);
    return { reply: { status: answer.status, body: said, audited: null } };
  }

  #origin() {
    return { door: 'users' as const, address: this.address, requestId: '0198f3a0-0000-7000-8000-0000000000b0' };
  }

  #route(method: string, path: string) {
    for (const route of this.identity.routes) {
      if (route.method !== method) continue;
      const match = patternOf(route.path).exec(path);
      if (match !== null) return { route, params: { ...match.groups } };
    }
    throw new Error(`No route ${method} ${path}`);
  }
}

const queryOf = (text: string): Record<string, string> => Object.fromEntries(new URLSearchParams(text));

/** The code an authenticator app shows for this enrolment at this time. */
export function codeAt(totp: { readonly uri: string }, ms: number): string {
  const secret = new URL(totp.uri).searchParams.get('secret') ?? '';
  return new TOTP({ secret, algorithm: 'SHA1', digits: 6, period: 30 }).generate({ timestamp: ms });
}

export const tokenOf = (link: string): string => new URL(link).hash.slice(1);

export interface EnrolledPerson {
  readonly browser: TestBrowser;
  readonly email: string;
  readonly totp: { readonly uri: string };
  readonly recoveryCodes: readonly string[];
}

/** Goes through set-up with a new link; afterwards the browser is signed in. The clock moves on one step. */
export async function setUp(
  { identity, clock }: IdentityFixture,
  email = 'ama@clinic.example.org',
): Promise<EnrolledPerson> {
  const link = await identity.setupLink(operator, BASE_URL);
  if (link === undefined) throw new Error('There is an administrator already');
  const browser = new TestBrowser(identity);
  const token = tokenOf(link.url);
  const account = { token, organisation: 'Lakeside Programme', name: 'Ama Mensah', email, password: PASSWORD };
  const { totp } = await browser.ask('POST', '/api/setup/account', account);
  const { recoveryCodes } = await browser.ask('POST', '/api/setup/confirm', {
    token,
    code: codeAt(totp, clock.nowMs()),
  });
  clock.forward(30_000);
  return { browser, email, totp, recoveryCodes };
}

/** Goes through enrolment by the link; afterwards the browser is signed in. The clock moves on one step. */
export async function enrol({ identity, clock }: IdentityFixture, link: string): Promise<EnrolledPerson> {
  const browser = new TestBrowser(identity);
  const token = tokenOf(link);
  const { email } = await browser.ask('POST', '/api/enrol/link', { token });
  const { totp } = await browser.ask('POST', '/api/enrol/account', { token, password: PASSWORD });
  const { recoveryCodes } = await browser.ask('POST', '/api/enrol/confirm', {
    token,
    code: codeAt(totp, clock.nowMs()),
  });
  clock.forward(30_000);
  return { browser, email, totp, recoveryCodes };
}

/** Makes people who are enrolled, each with a password, an authenticator and a browser of their own. */
export function enrolledPeople(
  fixture: () => IdentityFixture,
  who: { readonly called: string; readonly roles: readonly RoleName[] },
): () => Promise<EnrolledPerson> {
  let people = 0;
  return async () => {
    const { called, roles } = who;
    const email = `${called.toLowerCase()}${++people}@example.org`;
    const { link } = await fixture().identity.users.add(operator, { name: called, email, roles: [...roles] }, BASE_URL);
    return await enrol(fixture(), link?.url ?? '');
  };
}

/** Password and code in this browser. The clock moves on one step, so that the next code is a new one. */
export async function signIn(fixture: IdentityFixture, person: EnrolledPerson, browser: TestBrowser): Promise<void> {
  await browser.ask('POST', '/api/sign-in/password', { email: person.email, password: PASSWORD });
  await browser.ask('POST', '/api/sign-in/code', { code: codeAt(person.totp, fixture.clock.nowMs()) });
  fixture.clock.forward(30_000);
}
