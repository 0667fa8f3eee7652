import type dns from 'node:dns';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { newId } from '../../src/crypto/index.ts';
import { isProblem } from '../../src/kernel/problem.ts';
import { createOutbound, type Outbound } from '../../src/platform/outbound/index.ts';
import { type NodesDoor, nodesDoor } from '../support/nodes-door.ts';
import { operator } from '../support/nodes.ts';
import { person } from '../support/registry.ts';
import { type SubscriptionsFixture, subscriptionsFixture } from '../support/subscriptions.ts';
import { testAuthority, testLeaf } from '../support/tls.ts';

/**
 * P68: no address that somebody gives makes the server ask itself or its neighbours: not by its figures, not by a name that leads there,
 * not by a name that leads there only at the second look, not by a redirect. Each place that fetches is tried: key sets of nodes, lists
 * of revoked certificates, endpoints of subscribers.
 */
const TOKEN_URL = 'https://careseal.example.org:8444/oauth/token';
const { names } = vi.hoisted(() => ({ names: new Map<string, () => readonly string[]>() }));
vi.mock('node:dns', async (original) => {
  const real = await original<typeof dns>();
  const lookup = (name: string, options: object, callback: (error: Error | null, found: unknown) => void) => {
    const told = names.get(name);
    if (told === undefined) real.lookup(name, options, callback);
    else
      callback(
        null,
        told().map((address) => ({ address, family: 4 })),
      );
  };
  return { ...real, lookup, default: { ...real, lookup } };
});

let neighbour: Server;
let port: number;
/** Paths that were asked of the neighbour. */
const asked: string[] = [];
let answer: { readonly status: number; readonly location?: string } = { status: 200 };
/** Whether loopback may be reached: for what is done with an answer. */
let reachable = false;
let ways: { readonly closed: Outbound; readonly open: Outbound };
let door: NodesDoor;
let subscribed: SubscriptionsFixture;

beforeAll(async () => {
  const authority = await testAuthority();
  const hosts = ['localhost', '127.0.0.1', 'inside.example.org', 'both.example.org', 'rebound.example.org'];
  const { certificate, key } = await testLeaf(authority, { usage: 'server', names: hosts });
  neighbour = createServer({ cert: certificate, key }, (request, response) => {
    asked.push(request.url ?? '');
    const { status, location } = answer;
    response.writeHead(status, location === undefined ? {} : { location }).end('{"keys":[]}');
  });
  await new Promise<void>((resolve) => neighbour.listen(0, '127.0.0.1', resolve));
  port = (neighbour.address() as AddressInfo).port;
  const [closed, open] = [[], ['127.0.0.0/8']].map((allowedNetworks) =>
    createOutbound({ allowedNetworks, authoritiesPem: authority.ca }),
  ) as [Outbound, Outbound];
  ways = { closed, open };
  const way = () => (reachable ? open : closed);
  const outbound: Outbound = {
    request: (what) => way().request(what),
    assertAllowed: (url, options) => way().assertAllowed(url, options),
    close: () => undefined,
  };
  door = await nodesDoor({ outbound });
  subscribed = await subscriptionsFixture([], outbound);
  const wanted = { name: 'Ministry', certificate: authority.ca, acceptLong: true, crlRequired: false };
  await door.fixture.nodes.foreign.add(operator, wanted);
});
afterAll(async () => {
  await subscribed.close();
  await door.close();
  for (const way of Object.values(ways)) way.close();
  neighbour.closeAllConnections();
  await new Promise((resolve) => neighbour.close(resolve));
});
beforeEach(() => {
  asked.length = 0;
  answer = { status: 200 };
  reachable = false;
  names.clear();
});

const FIGURES = [
  'https://127.0.0.1/x',
  'https://127.1/x',
  'https://2130706433/x',
  'https://0x7f000001/x',
  'https://0177.0.0.1/x',
  'https://[::1]/x',
  'https://[::ffff:127.0.0.1]/x',
  'https://10.0.0.5/x',
  'https://192.168.1.1/x',
  'https://172.16.0.1/x',
  'https://169.254.169.254/latest/meta-data',
  'https://100.64.0.1/x',
  'https://[fd00::1]/x',
  'https://[fe80::1]/x',
  'https://localhost/x',
  'https://keys.localhost./x',
];

/** Tries an address as somebody would who sets it, then waits until it is fetched; answers the refusal or failure. */
type Try = (url: string) => Promise<string>;

async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return isProblem(error) ? error.code : 'unexpected';
  }
  return 'taken';
}

const PLACES: Readonly<Record<string, Try>> = {
  'the key set of a node': async (jwksUrl) => {
    const { node, identity } = await door.newNode();
    const refused = await refusalOf(door.fixture.nodes.keys.set(operator, { id: node.id }, { jwksUrl }));
    if (refused !== 'taken') return refused;
    const { privateKey } = await generateKeyPair('ES384');
    const now = Math.floor(door.fixture.clock.nowMs() / 1_000);
    const claims = { iss: node.id, sub: node.id, aud: TOKEN_URL, exp: now + 240, jti: newId() };
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await new SignJWT(claims).setProtectedHeader({ alg: 'ES384', kid: 'k1' }).sign(privateKey),
      scope: 'system/Patient.rs',
    });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const said = await door.send({ method: 'POST', path: '/oauth/token', headers, body: form.toString() }, identity);
    expect(said.json()['error']).toBe('invalid_client');
    return 'no-keys';
  },
  'the list of an authority': async (url) => {
    const authorities = (await door.fixture.nodes.foreign.list(operator)).authorities;
    return refusalOf(door.fixture.nodes.foreign.setCrlUrl(operator, authorities[0]?.id ?? '', url));
  },
  'the endpoint of a subscriber': async (endpoint) => {
    const made = await subscribed.clinic.post('/fhir/Subscription', subscribed.resource({}, { endpoint }));
    if (made.status !== 201) return `outbound-refused-${made.status}`;
    await subscribed.subscriptions.dispatcher.runOnce();
    const key: [string, string] = ['urn:subscribed', newId()];
    await subscribed.clinic.post('/fhir/Patient', person({ key, given: newId(), family: newId() }));
    await subscribed.subscriptions.dispatcher.runOnce();
    const [row] = (await subscribed.subscriptions.deliveries.list({ limit: 1 })).deliveries;
    await subscribed.clinic.delete(`/fhir/Subscription/${made.json.id}`);
    return row?.failure ?? 'delivered';
  },
};

describe.each(Object.entries(PLACES))('%s', (_place, attempt) => {
  test.each(FIGURES)('%s is refused when it is given', async (url) => {
    expect(await attempt(url)).toMatch(/^outbound-/);
    expect(asked).toEqual([]);
  });

  test('a name that leads inside reaches nobody', async () => {
    names.set('inside.example.org', () => ['127.0.0.1']);
    expect(await attempt(`https://inside.example.org:${port}/inside`)).toMatch(/^(outbound-forbidden|no-keys)$/);
    names.set('both.example.org', () => ['8.8.8.8', '127.0.0.1']);
    expect(await attempt(`https://both.example.org:${port}/both`)).toMatch(/^(outbound-forbidden|no-keys)$/);
    expect(asked).toEqual([]);
  });

  test('a name that leads outside at the first look and inside at the next reaches nobody', async () => {
    let looks = 0;
    // Were it looked up to be checked and again to be connected to, the second look would lead to the neighbour.
    names.set('rebound.example.org', () => (looks++ % 2 === 0 ? ['10.0.0.7'] : ['127.0.0.1']));
    for (let turn = 0; turn < 2; turn += 1)
      expect(await attempt(`https://rebound.example.org:${port}/rebound`)).toMatch(/^(outbound-forbidden|no-keys)$/);
    expect(looks).toBeGreaterThan(0);
    expect(asked).toEqual([]);
  });
});

describe('a redirect', () => {
  test('is followed by none of them', async () => {
    reachable = true;
    answer = { status: 302, location: `https://localhost:${port}/elsewhere` };
    const urls = Object.keys(PLACES).map((_, index) => `https://localhost:${port}/first-${index}`);
    const found: string[] = [];
    for (const [index, attempt] of Object.values(PLACES).entries()) found.push(await attempt(urls[index] ?? ''));
    expect(found).toEqual(['no-keys', 'crl-not-fetched', 'http-302']);
    expect(asked.filter((path) => !path.startsWith('/first-'))).toEqual([]);
    expect(new Set(asked).size).toBe(3);
  });
});
