import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Authenticator } from '../support/authenticator.ts';
import { careseal, fetchFrom, startTestServer, testHome, type TestServer } from '../support/server.ts';
import { addNode, setUpServer } from '../support/set-up.ts';
import { type Client, OWN_PAGE, send } from '../support/tls.ts';

/** An operator replaces every key of a server that goes on serving; nobody notices, and nothing is left under an old key. */
const ACCOUNT = {
  organisation: 'Lakeside Programme',
  name: 'Ama Mensah',
  email: 'ama@clinic.example.org',
  password: 'seven herons over the lake',
};
const PEOPLE = 40;
let home: string;
let dispose: () => Promise<void>;
let outside: string;
let server: TestServer;
let node: Client;
let authenticator: Authenticator;
const ids: string[] = [];

beforeAll(async () => {
  ({ path: home, dispose } = await testHome());
  outside = await mkdtemp(join(tmpdir(), 'careseal-rotation-'));
  server = await startTestServer({ home });
  ({ authenticator } = await setUpServer(server, ACCOUNT));
  ({ client: node } = await addNode(server, { home, folder: join(outside, 'node'), domain: 'urn:rotation:clinic' }));
  for (let n = 0; n < PEOPLE; n++) ids.push(await register(n));
});

afterAll(async () => {
  await server?.end('SIGTERM');
  await dispose();
  await rm(outside, { recursive: true, force: true });
});

const person = (n: number) => ({
  resourceType: 'Patient',
  identifier: [{ system: 'urn:rotation:clinic', value: `rec-${n}` }],
  name: [{ family: `Family${String.fromCodePoint(97 + (n % 26))}${n}`, given: [`Given${n * 7}`] }],
  birthDate: `19${50 + (n % 40)}-0${1 + (n % 9)}-1${n % 9}`,
});

async function fhir(method: string, path: string, body?: object) {
  const headers = { 'content-type': 'application/fhir+json' };
  return await send(node, { method, path, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
}

async function register(n: number): Promise<string> {
  const answer = await fhir('POST', '/fhir/Patient', person(n));
  if (answer.status !== 201) throw new Error(answer.text);
  return answer.json<{ id: string }>().id;
}

/** One of everything that needs a key: read, search by token, candidates by blocking key. */
async function useAll(n: number): Promise<void> {
  const read = await fhir('GET', `/fhir/Patient/${ids[n]}`);
  expect([read.status, read.json()['birthDate']]).toEqual([200, person(n).birthDate]);
  const found = await fhir('GET', `/fhir/Patient?family=${person(n).name[0]?.family}&birthdate=${person(n).birthDate}`);
  expect(found.json()['total']).toBe(1);
  const parameters = { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: person(n) }] };
  const matched = await fhir('POST', '/fhir/Patient/$match', parameters);
  const [best] = matched.json<{ entry: { resource: { identifier: object[] } }[] }>().entry;
  expect(best?.resource.identifier).toContainEqual(person(n).identifier[0]);
  const known = await fhir('PUT', `/fhir/Patient/${ids[n]}`, { ...person(n), id: ids[n] });
  expect(known.status).toBe(200);
}

/** Password and second factor, both sealed, from the beginning. */
async function signIn(): Promise<number> {
  const post = async (path: string, body: object, cookie = '') => {
    const headers = { ...OWN_PAGE, 'content-type': 'application/json', cookie };
    return await fetchFrom(`${server.usersUrl}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  };
  const { email, password } = ACCOUNT;
  const first = await post('/api/sign-in/password', { email, password });
  const cookie = [first.headers['set-cookie']]
    .flat()
    .map((one) => String(one).split(';')[0])
    .join('; ');
  return (await post('/api/sign-in/code', { code: await authenticator.code() }, cookie)).status;
}

test('all four kinds are replaced while requests go on, and nothing is left under the old ones', async () => {
  let rotating = true;
  let used = 0;
  const traffic = (async () => {
    for (; rotating; used++) {
      await useAll(used % PEOPLE);
      ids.push(await register(PEOPLE + used));
    }
  })();
  const rotated = await careseal(['keys', 'rotate', '--json'], { home });
  rotating = false;
  await traffic;
  expect(rotated).toMatchObject({ code: 0 });
  const { rotated: steps } = JSON.parse(rotated.stdout) as {
    rotated: { what: string; rows?: number; left?: string[] }[];
  };
  expect(steps.map(({ what, left }) => [what, left ?? []])).toEqual([
    ['root', []],
    ['key-encryption', []],
    ['data', []],
    ['index', []],
  ]);
  expect(steps[2]?.rows).toBeGreaterThan(PEOPLE * 3);
  expect(used).toBeGreaterThan(5);
  for (let n = 0; n < PEOPLE + used; n += 7) await useAll(n);
  expect(await signIn()).toBe(200);
  const { keys } = JSON.parse((await careseal(['keys', 'list', '--json'], { home })).stdout) as {
    keys: { purpose: string; family: string; state: string }[];
  };
  const kept = keys
    .filter(({ state }) => state !== 'destroyed')
    .map(({ purpose, family, state }) => `${purpose} ${family} ${state}`);
  expect(kept.toSorted()).toEqual([
    'data audit current',
    'data audit retiring',
    'data record current',
    'index audit current',
    'index audit retiring',
    'index record current',
    'key-encryption all current',
  ]);
});

test('after a restart with the new root key everything is there, and the audit log is whole', async () => {
  expect((await stat(join(home, 'keys/root.key'))).mode & 0o777).toBe(0o600);
  await expect(stat(join(home, 'keys/root.key.next'))).rejects.toMatchObject({ code: 'ENOENT' });
  await server.end('SIGTERM');
  server = await startTestServer({ home });
  node = { ...node, port: Number(new URL(server.nodesUrl).port) };
  for (let n = 0; n < ids.length; n += 7) await useAll(n);
  expect(JSON.parse((await careseal(['audit', 'verify', '--json'], { home })).stdout)).toMatchObject({ ok: true });
});

test('a rotation that nobody named is refused', async () => {
  expect(await careseal(['keys', 'rotate', 'everything'], { home })).toMatchObject({ code: 2 });
});
