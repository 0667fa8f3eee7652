import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withMaintenanceSession } from '../../src/platform/db/index.ts';
import { LeakFinder, leaksBelow, needlesOf } from '../support/leaks.ts';
import { careseal, startTestServer, testHome } from '../support/server.ts';
import { addNode, setUpServer } from '../support/set-up.ts';
import { type Client, send } from '../support/tls.ts';

/**
 * P05. Attacker: has a copy of the whole database directory (tables, indexes, write-ahead log, statistics, temporary files), of
 * everything the server printed and of its temporary files, made while it ran and after it stopped. Goal: to learn who the
 * clients are, or who the users are. Known people go in by every way there is, through a real server; then every byte is searched.
 */
const DOMAIN = 'urn:attack:clinic-of-mbarara';
const PATIENTS = Array.from({ length: 12 }, (_, n) => ({
  family: `Nakibuuka${'qwxzjv'[n % 6]}${n}`,
  given: ['Ssanyúova', 'Oluwatóbilobaq', 'Byamugishaz', 'Kyalimpax'][n % 4] ?? '',
  nin: `CM${90_017_345_126 + n * 7919}QXZ`,
  phone: `+25677${2_918_304 + n * 1013}`,
  email: `kirabo.mukwaya${n}@nowhere-known.example.org`,
  birthDate: `19${31 + n}-02-${String(11 + n)}`,
  street: `Plot ${n} Lugogo Bypass Lanezz`,
  city: 'Nakasongolaville',
}));
const CSV_PEOPLE = PATIENTS.map((one, n) => ({
  ...one,
  family: `Tumwesigye${'bcdfgh'[n % 6]}${n}`,
  nin: `CF${n}8812${n}44KLM`,
}));
const USER = {
  name: 'Perpetua Akankwasaz',
  email: 'p.akankwasaz@ministry.example.org',
  password: 'nine grey cranes over Kyoga',
};
const ORGANISATION = 'Ankole Wellbeing Initiative';
const CSV_NAME = 'households-of-bwizibwera.csv';

let dispose: () => Promise<void>;
let home: string;
let outside: string;
let copies: { readonly running: string; readonly stopped: string };
let rows: string[];
let printed: string;
let totpKey: string;
let session: string;

const secrets = (): string[] => [
  ...[...PATIENTS, ...CSV_PEOPLE].flatMap((one) => [one.family, one.given, one.nin, one.phone.slice(1), one.email]),
  ...PATIENTS.flatMap((one) => [
    one.birthDate,
    one.birthDate.replaceAll('-', ''),
    one.birthDate.split('-').toReversed().join('/'),
  ]),
  ...['Lugogo Bypass Lanezz', 'Nakasongolaville'],
  ...[USER.name, USER.email, USER.password, ORGANISATION, CSV_NAME, totpKey],
];

beforeAll(async () => {
  ({ path: home, dispose } = await testHome());
  outside = await mkdtemp(join(tmpdir(), 'careseal-thief-'));
  copies = { running: join(outside, 'running'), stopped: join(outside, 'stopped') };
  // PostgreSQL's own OS user makes files here too.
  await mkdir(join(home, 'tmp'));
  await chmod(join(home, 'tmp'), 0o1777);
  const settings = { TMPDIR: join(home, 'tmp'), CARESEAL_LOG_LEVEL: 'debug' };
  const server = await startTestServer({ home, settings });
  ({ totpKey, session } = await setUpServer(server, { organisation: ORGANISATION, ...USER }));
  const node = await addNode(server, { home, folder: join(outside, 'node'), domain: DOMAIN });
  printed = node.printed;
  await overFhir(node.client);
  await fromFile(settings);
  await control();
  await copy(home, copies.running);
  rows = await everyRow();
  if ((await server.end('SIGTERM')) !== 0) throw new Error('the server did not stop well');
  await copy(home, copies.stopped);
  printed += `${server.stdout()}\n${server.stderr()}`;
}, 180_000);

afterAll(async () => {
  await dispose();
  await rm(outside, { recursive: true, force: true });
});

/** With owners and modes, as a backup has it. */
async function copy(from: string, to: string): Promise<void> {
  await promisify(execFile)('cp', ['-a', from, to]).catch((error: { stderr?: string }) => {
    // A running server removes files meanwhile.
    if (!/No such file/.test(error.stderr ?? '')) throw error;
  });
}

function patient(n: number): Record<string, unknown> {
  const one = PATIENTS[n];
  if (one === undefined) throw new RangeError('there is no such patient');
  const { family, given, nin, phone, email, birthDate, street, city } = one;
  return {
    resourceType: 'Patient',
    identifier: [
      { system: DOMAIN, value: `rec-${n}` },
      { system: 'urn:ug:nin', value: nin },
    ],
    name: [{ family, given: [given] }],
    telecom: [
      { system: 'phone', value: phone },
      { system: 'email', value: email },
    ],
    gender: 'female',
    birthDate,
    address: [{ line: [street], city }],
  };
}

/** Creates, reads, searches of every kind, updates, versions, matches, deletes, and requests that are refused. */
async function overFhir(client: Client): Promise<void> {
  const ask = async (method: string, path: string, body?: unknown, wanted = 200) => {
    const headers = { 'content-type': 'application/fhir+json' };
    const answer = await send(client, {
      method,
      path,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    expect([method, path, answer.status, answer.status === wanted ? '' : answer.text.slice(0, 500)]).toEqual([
      method,
      path,
      wanted,
      '',
    ]);
    return answer.text.startsWith('{') ? answer.json<{ id: string }>() : { id: '' };
  };
  const ids: string[] = [];
  for (let n = 0; n < PATIENTS.length; n++) ids.push((await ask('POST', '/fhir/Patient', patient(n), 201)).id);
  for (const [n, { family, nin, phone, birthDate, email }] of PATIENTS.entries()) {
    await ask('GET', `/fhir/Patient/${ids[n]}`);
    for (const query of [
      `family=${family}`,
      `identifier=${nin}`,
      `phone=${phone.slice(1)}`,
      `birthdate=${birthDate}`,
    ]) {
      await ask('GET', `/fhir/Patient?${query}`);
    }
    await ask('GET', `/fhir/Patient?email=${email}&family=${family}`);
  }
  await ask('PUT', `/fhir/Patient/${ids[0]}`, { ...patient(0), id: ids[0], gender: 'male' });
  await ask('GET', `/fhir/Patient/${ids[0]}/_history`);
  await ask('POST', '/fhir/Patient/$match', {
    resourceType: 'Parameters',
    parameter: [{ name: 'resource', resource: patient(3) }],
  });
  await ask('DELETE', `/fhir/Patient/${ids[11]}`, undefined, 204);
  // Refused, with names in what is refused.
  await ask('POST', '/fhir/Patient', { ...patient(1), birthDate: `${PATIENTS[1]?.family}` }, 400);
  await ask('GET', `/fhir/Patient?${PATIENTS[2]?.family}=${PATIENTS[2]?.nin}`);
  await ask('GET', `/fhir/Patient?_count=${PATIENTS[2]?.nin}`, undefined, 400);
  await ask('GET', `/fhir/Patient/${PATIENTS[4]?.family}`, undefined, 404);
}

/** A file by the command line, with rows that are rejected. */
async function fromFile(settings: Readonly<Record<string, string>>): Promise<void> {
  const header = 'rec,first,last,sex,born,phone,nin';
  const lines = CSV_PEOPLE.map(
    (one, n) => `c${n},${one.given},${one.family},F,${one.birthDate},${one.phone},${one.nin}`,
  );
  const wrong = `c99,${CSV_PEOPLE[0]?.given},${CSV_PEOPLE[0]?.family},${CSV_PEOPLE[0]?.nin}`;
  await writeFile(join(outside, CSV_NAME), [header, ...lines, wrong, ''].join('\n'));
  const map = {
    id: 'rec',
    given: 'first',
    family: 'last',
    gender: 'sex',
    birthDate: { column: 'born', format: 'YYYY-MM-DD' },
    phone: 'phone',
  };
  const mapping = { ...map, identifier: [{ system: 'urn:ug:nin', column: 'nin' }] };
  await writeFile(join(outside, 'map.json'), JSON.stringify(mapping));
  const words = [
    'load',
    join(outside, CSV_NAME),
    '--domain',
    'urn:attack:files',
    '--map',
    join(outside, 'map.json'),
    '--json',
  ];
  const loaded = await careseal(words, { home, settings });
  expect(JSON.parse(loaded.stdout)).toMatchObject({ read: CSV_PEOPLE.length + 1, rejected: 1 });
  printed += `${loaded.stdout}${loaded.stderr}`;
}

const CONTROL = 'Zebra Control Person';

/** What must be found, or the search itself is blind. */
async function control(): Promise<void> {
  await withMaintenanceSession(superuser(), async (session) => {
    await session.script(`CREATE TABLE public.control AS SELECT '${CONTROL}'::text AS name; CHECKPOINT; ANALYZE`);
  });
}

function superuser() {
  return { host: join(home, 'pg/data'), port: 5432, user: 'careseal_superuser', database: 'careseal' };
}

/** Every row of every table as text, statistics included: what the write-ahead log or TOAST keep compressed is plain here. */
async function everyRow(): Promise<string[]> {
  return await withMaintenanceSession(superuser(), async (session) => {
    const tables = await session.rows<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname <> 'information_schema'
         AND (schemaname <> 'pg_catalog' OR tablename IN ('pg_statistic', 'pg_statistic_ext_data', 'pg_largeobject', 'pg_description'))`,
      [],
    );
    const found: string[] = [];
    for (const { name } of tables) {
      const texts = await session.rows<{ row: string }>(`SELECT t::text AS row FROM ${name} t`, []);
      found.push(...texts.map(({ row }) => `${name} ${row}`));
    }
    return found;
  });
}

describe('the thief', () => {
  let finder: LeakFinder;
  beforeAll(() => {
    // Of a session's token the database may keep a hash: it has 256 random bits, so nobody finds it by trying.
    finder = new LeakFinder([...needlesOf([...new Set(secrets())]), ...needlesOf([session], { hashes: false })]);
  });

  test('finds what is not secret, so the search sees', async () => {
    const seen = new LeakFinder(needlesOf([CONTROL, DOMAIN]));
    for (const copy of [copies.running, copies.stopped]) {
      const { files, leaks } = await leaksBelow(join(copy, 'pg'), seen);
      expect(files).toBeGreaterThan(100);
      const where = (secret: string) =>
        leaks.filter((leak) => leak.leaks.some((one) => one.startsWith(secret))).map(({ file }) => file);
      expect(where(CONTROL).some((file) => file.includes('/pg_wal/'))).toBe(true);
      expect(where(CONTROL).some((file) => file.includes('/base/'))).toBe(true);
      expect(where(DOMAIN).length).toBeGreaterThan(0);
    }
    expect(seen.leaksIn(Buffer.from(rows.join('\n'))).length).toBeGreaterThan(1);
    expect(rows.filter((row) => row.startsWith('store.resource ')).length).toBeGreaterThan(PATIENTS.length * 2);
    expect(rows.some((row) => row.startsWith('audit.') && row.length > 200)).toBe(true);
  });

  test.each(['running', 'stopped'] as const)(
    'finds nobody in the %s database’s files, nor in temporary files',
    async (which) => {
      const { files, leaks } = await leaksBelow(copies[which], finder);
      expect(files).toBeGreaterThan(100);
      expect(leaks).toEqual([]);
    },
  );

  test('finds nobody in any row, in any column', () => {
    const found = rows.flatMap((row) =>
      finder.leaksIn(Buffer.from(row)).map((leak) => `${row.split(' ')[0]}: ${leak}`),
    );
    expect(found).toEqual([]);
  });

  test('finds nobody in what the server and its commands printed', () => {
    expect(printed).toContain('Serving');
    expect(finder.leaksIn(Buffer.from(printed))).toEqual([]);
  });
});

test('without the root key the copy does not start, and nothing in it is changed', async () => {
  const stolen = join(outside, 'stolen');
  await copy(copies.stopped, stolen);
  await rm(join(stolen, 'keys'), { recursive: true });
  const started = await careseal(['start'], { home: stolen });
  expect(started.code).not.toBe(0);
  expect(started.stderr).toContain('root key');
});
