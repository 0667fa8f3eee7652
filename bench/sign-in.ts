/**
 * Signing in: how many a second beside Argon2id alone at the same cost, how long they take with eight at once, what a flood is
 * told and what it does to everybody else; what a session check costs; lists with ten thousand users.
 * `npm run bench -- sign-in --users 10000 --seconds 5`
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { createPasswordHasher, newId } from '../src/crypto/index.ts';
import { isProblem } from '../src/kernel/problem.ts';
import { createDatabase, type Database, statement } from '../src/platform/db/index.ts';
import { openKeyVault } from '../src/store/index.ts';
import { memoryRootKey } from '../test/support/keys.ts';
import {
  BASE_URL,
  codeAt,
  enrol,
  type EnrolledPerson,
  type IdentityFixture,
  identityFixture,
  operator,
  PASSWORD,
  setUp,
  type TestClock,
  TestBrowser,
} from '../test/support/identity.ts';
import { machine, printTable } from './support/report.ts';
import { startPostgres } from './support/processes.ts';

const { values } = parseArgs({
  options: { users: { type: 'string', default: '10000' }, seconds: { type: 'string', default: '5' } },
});
const USERS = Number(values.users);
const SECONDS = Number(values.seconds);
const AT_ONCE = 8;
const FLOOD = 200;
const CALLS_OF_A_PAGE = 5;
/** Who really enrols and signs in; the others fill the lists. */
const SIGNERS = 170 * SECONDS;
/** Hashes and sign-ins take turns of so many seconds: the machine's speed changes from one second to the next. */
const TURN_SECONDS = 1;
const ONE_ADDRESS = '198.51.100.1';

/** From where the sign-ins of a round come: all from one clinic, or each from elsewhere. */
const ROUNDS = [
  { what: 'from one address, the first of this process', from: 'one' },
  { what: 'from many addresses', from: 'many' },
  { what: 'from one address', from: 'one' },
  { what: 'from many addresses, again', from: 'many' },
  { what: 'from one address, again', from: 'one' },
] as const;

const NAMES = ['Okello', 'Mensah', 'Namukasa', 'Wanjiru', 'Achieng', 'Mugisha', 'Ssekandi', 'Adeyemi'];

/** What the machine can do at all: a hash on every processor, however many the server lets run at once. */
const hasher = createPasswordHasher({ parallelMax: availableParallelism(), waitingMax: AT_ONCE });
const encoded = await hasher.hash(PASSWORD);
const hashOnce = async (): Promise<void> => void (await hasher.verify(encoded, PASSWORD));

/** The real clock, moved on where a test of codes needs the next step. */
function movedClock(): TestClock {
  let ahead = 0;
  return {
    nowMs: () => Date.now() + ahead,
    forward(ms) {
      ahead += ms;
    },
  };
}

const postgres = await startPostgres();
try {
  const connection = await postgres.create('sign_in');
  const database = createDatabase({
    connection,
    poolSize: 16,
    statementTimeoutMs: 30_000,
    onConnectionLost: () => undefined,
  });
  const vault = await openKeyVault({ database, rootKey: memoryRootKey() });
  const fixture = identityFixture(database, { clock: movedClock(), keyRing: vault.keyRing });
  await setUp(fixture);
  const people: EnrolledPerson[] = [];
  for (let i = 0; i < SIGNERS; i++) people.push(await person(fixture, i));
  console.log(machine());
  await measureSignIns(fixture, people);
  await measureChecks(fixture, people);
  await measureLists(fixture, database);
  await vault.close();
  await database.close();
} finally {
  await postgres.stop();
}

async function person(fixture: IdentityFixture, i: number): Promise<EnrolledPerson> {
  const email = `signer${i}@example.org`;
  const { link } = await fixture.identity.users.add(
    operator,
    { name: `Signer ${i}`, email, roles: ['steward'] },
    BASE_URL,
  );
  return await enrol(fixture, link?.url ?? '');
}

async function measureSignIns(fixture: IdentityFixture, people: readonly EnrolledPerson[]): Promise<void> {
  const rows = [];
  for (const { what, from } of ROUNDS) {
    const free = people.slice();
    const limit: Turn[] = [];
    const whole: Turn[] = [];
    for (let turn = 0; turn < SECONDS / TURN_SECONDS; turn++) {
      limit.push(await during(AT_ONCE, hashOnce, TURN_SECONDS));
      whole.push(
        await during(
          AT_ONCE,
          async () => {
            const who = free.shift();
            if (who === undefined) throw new Error('More sign-ins than people: raise SIGNERS');
            const address = from === 'one' ? ONE_ADDRESS : `10.${free.length >> 8}.${free.length & 255}.1`;
            await signInOnce(fixture, who, address);
          },
          TURN_SECONDS,
        ),
      );
    }
    // A code works once: on to the next.
    fixture.clock.forward(120_000);
    const [hashes, signIns] = [figuresOf(limit), figuresOf(whole)];
    rows.push({
      what,
      'hashes a second': hashes.perSecond.toFixed(1),
      'sign-ins a second': signIns.perSecond.toFixed(1),
      'p50 ms': signIns.p50,
      'p95 ms': signIns.p95,
      'of hashes': (signIns.perSecond / hashes.perSecond).toFixed(2),
      'processor ms of this process: a sign-in, a hash': `${signIns.processorMs.toFixed(1)}, ${hashes.processorMs.toFixed(1)}`,
    });
  }
  printTable('Sign-ins (password and code in a fresh browser, eight at once) beside Argon2id alone', rows);
  await measureFlood(fixture, people);
}

/** Milliseconds of processor time of this process, hashing included. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Password and code in a fresh browser. */
async function signInOnce({ identity, clock }: IdentityFixture, who: EnrolledPerson, address: string): Promise<void> {
  const browser = new TestBrowser(identity, address);
  await browser.ask('POST', '/api/sign-in/password', { email: who.email, password: PASSWORD });
  await browser.ask('POST', '/api/sign-in/code', { code: codeAt(who.totp, clock.nowMs() + 30_000) });
}

/** Two hundred strangers at once: how many are told to come back, and what everybody else notices. */
async function measureFlood(fixture: IdentityFixture, people: readonly EnrolledPerson[]): Promise<void> {
  const [who] = people;
  if (who === undefined) return;
  await signInAgain(fixture, who);
  const quiet = figuresOf([await during(1, () => who.browser.ask('GET', '/api/session').then(() => undefined), 1)]);
  let refused = 0;
  let taken = 0;
  let flooding = true;
  const flood = Array.from({ length: FLOOD }, async (_, i) => {
    while (flooding) {
      const browser = new TestBrowser(fixture.identity, `10.${i}.0.1`);
      const email = `stranger${newId()}@example.org`;
      const outcome: unknown = await browser
        .ask('POST', '/api/sign-in/password', { email, password: 'a guess' })
        .catch((error: unknown) => (isProblem(error) ? error.code : 'error'));
      if (outcome === 'passwords-busy') {
        refused++;
        await new Promise((resolve) => setTimeout(resolve, 50));
      } else taken++;
    }
  });
  const flooded = figuresOf([await during(1, () => who.browser.ask('GET', '/api/session').then(() => undefined), 2)]);
  flooding = false;
  await Promise.all(flood);
  printTable(`A flood of ${FLOOD} sign-ins at once`, [
    { what: 'compared', count: taken },
    { what: 'told to come back (429)', count: refused },
    { what: 'GET /api/session in the quiet, p95 ms', count: quiet.p95 },
    { what: 'GET /api/session during the flood, p95 ms', count: flooded.p95 },
  ]);
}

async function signInAgain(fixture: IdentityFixture, who: EnrolledPerson): Promise<void> {
  await who.browser.ask('POST', '/api/sign-in/password', { email: who.email, password: PASSWORD });
  fixture.clock.forward(60_000);
  await who.browser.ask('POST', '/api/sign-in/code', { code: codeAt(who.totp, fixture.clock.nowMs()) });
}

async function measureChecks(fixture: IdentityFixture, people: readonly EnrolledPerson[]): Promise<void> {
  const [who] = people;
  if (who === undefined) return;
  await signInAgain(fixture, who);
  const rounds = 20_000;
  const started = performance.now();
  for (let i = 0; i < rounds; i++) await who.browser.principal();
  const always = ((performance.now() - started) / rounds) * 1000;
  const cold: number[] = [];
  for (let i = 0; i < 200; i++) {
    fixture.clock.forward(1_001);
    const at = performance.now();
    await who.browser.principal();
    cold.push((performance.now() - at) * 1000);
  }
  // As a page asks: some calls within a second, a reader’s seconds, and the next page.
  const paged: number[] = [];
  for (let page = 0; page < 200; page++) {
    fixture.clock.forward(5_000);
    for (let call = 0; call < CALLS_OF_A_PAGE; call++) {
      const at = performance.now();
      await who.browser.principal();
      paged.push((performance.now() - at) * 1000);
    }
  }
  printTable('A session check', [
    { what: `of a page’s ${CALLS_OF_A_PAGE} calls, five seconds between pages, mean`, µs: mean(paged).toFixed(0) },
    { what: '… median', µs: quantile(paged, 0.5).toFixed(1) },
    { what: 'on average, one caller asking all the time', µs: always.toFixed(1) },
    { what: 'that has to ask the database (once a second at most), median', µs: quantile(cold, 0.5).toFixed(0) },
    { what: '… mean', µs: mean(cold).toFixed(0) },
  ]);
}

async function measureLists(fixture: IdentityFixture, database: Database): Promise<void> {
  await fill(fixture, database);
  const { users } = fixture.identity;
  const rows = [];
  for (const [what, ask] of [
    ['first page of users', () => users.list(operator)],
    ['users found by three letters of a name', () => users.list(operator, { text: 'oke' })],
    ['users of one state', () => users.list(operator, { state: 'active' })],
  ] as const) {
    const taken: number[] = [];
    for (let i = 0; i < 20; i++) {
      const at = performance.now();
      await ask();
      taken.push(performance.now() - at);
    }
    rows.push({ what, 'p50 ms': quantile(taken, 0.5).toFixed(1), 'p95 ms': quantile(taken, 0.95).toFixed(1) });
  }
  printTable(`Lists with ${USERS} users`, rows);
}

/** Invited people, through the same door as everybody. */
async function fill({ identity }: IdentityFixture, database: Database): Promise<void> {
  const [{ n } = { n: 0 }] = await database.rows(
    statement<{ n: number }>('bench.users', 'SELECT count(*)::int AS n FROM identity.users'),
  );
  for (let i = n; i < USERS; i++) {
    const name = `${NAMES[i % NAMES.length]} ${i}`;
    await identity.users.add(operator, { name, email: `user${i}@example.org`, roles: ['registrar'] }, BASE_URL);
  }
}

interface Turn {
  /** Milliseconds of each act. */
  readonly taken: readonly number[];
  readonly seconds: number;
  readonly processorMs: number;
}

interface Figures {
  readonly perSecond: number;
  readonly p50: string;
  readonly p95: string;
  /** Of an act. */
  readonly processorMs: number;
}

/** `callers` at once, each one act after the other, for the time given. */
async function during(callers: number, act: () => Promise<void>, seconds: number): Promise<Turn> {
  const taken: number[] = [];
  const started = performance.now();
  const before = processorMs();
  const until = started + seconds * 1000;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < until) {
        const at = performance.now();
        await act();
        taken.push(performance.now() - at);
      }
    }),
  );
  return { taken, seconds: (performance.now() - started) / 1000, processorMs: processorMs() - before };
}

function figuresOf(turns: readonly Turn[]): Figures {
  const taken = turns.flatMap((one) => one.taken);
  const sum = (of: (turn: Turn) => number) => turns.reduce((all, turn) => all + of(turn), 0);
  return {
    perSecond: taken.length / sum(({ seconds }) => seconds),
    p50: quantile(taken, 0.5).toFixed(1),
    p95: quantile(taken, 0.95).toFixed(1),
    processorMs: sum((turn) => turn.processorMs) / taken.length,
  };
}

function mean(taken: readonly number[]): number {
  return taken.reduce((sum, one) => sum + one, 0) / taken.length;
}

function quantile(values_: readonly number[], at: number): number {
  const sorted = values_.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] ?? 0;
}
