import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type NodesDoor, nodesDoor } from '../support/nodes-door.ts';
import { NO_INPUT, type TestDoor, testDoor, testRoute } from '../support/door.ts';
import { rawConnection, talk } from '../support/raw-http.ts';
import type { Client } from '../support/tls.ts';

/**
 * P69: bytes that two programs on one way understand in two ways. No part of a request becomes another one, nothing that follows on a
 * request of two meanings is done, no answer takes another's place, and no header or address names another host than the one that is checked.
 */
const connectionLimits = {
  idleTimeoutMs: 1_000,
  headersTimeoutMs: 700,
  bodyTimeoutMs: 700,
  keepAliveTimeoutMs: 100,
};
interface Side {
  readonly client: Client;
  readonly read: string;
  readonly write: string;
  /** What a smuggled request would reach. */
  readonly hidden: string;
  /** Status of a write that was done. */
  readonly written: number;
  hits(): number;
}
let usersDoor: TestDoor;
let systemsDoor: NodesDoor;
const sides: Partial<Record<'users' | 'nodes', Side>> = {};
let hits = 0;

beforeAll(async () => {
  const hit = async () => {
    hits += 1;
    return { status: 200, body: { ok: true }, audited: null } as const;
  };
  const limits = { bodyBytesMax: 100, perMinute: 1_000_000 };
  usersDoor = await testDoor(
    [
      testRoute({}),
      testRoute({ path: '/api/hidden', handle: hit }),
      testRoute({ method: 'POST', path: '/api/change', input: { ...NO_INPUT, body: 'bytes' }, limits }),
    ],
    { connectionLimits },
  );
  systemsDoor = await nodesDoor({ connectionLimits });
  const { identity } = await systemsDoor.newNode();
  sides.users = {
    client: usersDoor.client,
    read: '/api/test',
    write: '/api/change',
    hidden: '/api/hidden',
    written: 200,
    hits: () => hits,
  };
  sides.nodes = {
    client: { port: systemsDoor.port, ca: systemsDoor.ca, identity },
    read: '/fhir/Patient/1',
    write: '/fhir/Patient',
    hidden: '/fhir/Patient/2',
    written: 201,
    hits: systemsDoor.handled,
  };
});
afterAll(async () => {
  await usersDoor.close();
  await systemsDoor.close();
});

const HOST = 'Host: localhost\r\nX-Careseal: 1\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const END = '0\r\n\r\n';

describe.each(['users', 'nodes'] as const)('at the %s’ door', (name) => {
  const side = (): Side => {
    const found = sides[name];
    if (found === undefined) throw new Error('The door did not open.');
    return found;
  };
  const get = (headers = HOST, target = side().read, version = 'HTTP/1.1') =>
    `GET ${target} ${version}\r\n${headers}\r\n`;
  const post = (headers: string, body: string, version = 'HTTP/1.1') =>
    `POST ${side().write} ${version}\r\n${HOST}${headers}\r\n${body}`;
  const smuggled = () => get(HOST, side().hidden);

  /** What is sent ends in one refusal, and the request behind it is not done. */
  async function refusedOnce(text: string, statuses: readonly number[]): Promise<void> {
    const before = side().hits();
    const talked = await talk(side().client, text);
    expect(talked.statuses, talked.text).toHaveLength(1);
    expect(statuses).toContain(talked.statuses[0]);
    expect(side().hits()).toBe(before);
  }

  test.each<[string, string]>([
    ['a length, then chunks', `Content-Length: 5\r\n${CHUNKED}`],
    ['chunks, then a length', `${CHUNKED}Content-Length: 5\r\n`],
    ['two lengths that differ', 'Content-Length: 5\r\nContent-Length: 60\r\n'],
    ['two lengths that are equal', 'Content-Length: 5\r\nContent-Length: 5\r\n'],
    ['a list of lengths', 'Content-Length: 5, 5\r\n'],
    ['a length with a sign', 'Content-Length: +5\r\n'],
    ['a length below nothing', 'Content-Length: -1\r\n'],
    ['a length in hexadecimal', 'Content-Length: 0x5\r\n'],
    ['a length beyond 64 bits', 'Content-Length: 18446744073709551621\r\n'],
    ['a length of nothing', 'Content-Length: \r\n'],
    ['a blank before the colon', 'Transfer-Encoding : chunked\r\nContent-Length: 5\r\n'],
    ['a vertical tab before the coding', 'Transfer-Encoding: \x0bchunked\r\n'],
    ['a coding that nobody knows', 'Transfer-Encoding: xchunked\r\n'],
    ['the coding identity', 'Transfer-Encoding: identity\r\n'],
    ['chunks that are not the last coding', 'Transfer-Encoding: chunked, identity\r\n'],
    ['a coding before the chunks', 'Transfer-Encoding: gzip, chunked\r\n'],
    ['two codings, chunks first', `${CHUNKED}Transfer-Encoding: identity\r\n`],
    ['two codings, chunks last', `Transfer-Encoding: identity\r\n${CHUNKED}`],
    ['chunks twice', `${CHUNKED}${CHUNKED}`],
    ['a folded coding', 'Transfer-Encoding:\r\n chunked\r\n'],
    ['a folded header', 'X-A: b\r\n c\r\nContent-Length: 5\r\n'],
    ['a carriage return in a header', `X-A: b\r${CHUNKED}Content-Length: 5\r\n`],
    ['a line feed in a header', 'X-A: b\nContent-Length: 5\r\n'],
    ['a zero byte in a header', 'X-A: b\0\r\nContent-Length: 5\r\n'],
    ['a header without a name', ': b\r\nContent-Length: 5\r\n'],
    ['a second host', 'Host: localhost\r\nContent-Length: 5\r\n'],
    ['a second host of another name', 'Host: evil.example\r\nContent-Length: 5\r\n'],
    ['two authorizations', 'Authorization: Bearer a\r\nAuthorization: Bearer b\r\nContent-Length: 5\r\n'],
    ['two types', 'Content-Type: application/json\r\ncontent-type: text/plain\r\nContent-Length: 5\r\n'],
  ])('%s: refused, and what follows is not done', async (_what, headers) => {
    for (const body of [END, 'hello']) await refusedOnce(post(headers, body + smuggled()), [400]);
  });

  test.each<[string, string]>([
    ['a chunk size in C', '0x5\r\nhello\r\n'],
    ['a chunk size below nothing', '-5\r\nhello\r\n'],
    ['a chunk size beyond 64 bits', '10000000000000005\r\nhello\r\n'],
    ['a chunk size ended by a line feed', '5\nhello\r\n'],
    ['a chunk longer than its size', '5\r\nhello and more\r\n'],
    ['a line feed in a chunk’s extension', '5;a=\nb\r\nhello\r\n'],
    ['an extension of thirty thousand bytes', `5;${'a'.repeat(30_000)}\r\nhello\r\n`],
    ['a length among the trailers', '5\r\nhello\r\n0\r\nContent-Length: 60\r\n\r\n'],
    ['trailers of thirty thousand bytes', `5\r\nhello\r\n0\r\nX: ${'a'.repeat(30_000)}\r\n\r\n`],
  ])('%s: refused, and what follows is not done', async (_what, chunks) => {
    await refusedOnce(post(CHUNKED, `${chunks}${END}${smuggled()}`), [400, 413, 431]);
  });

  test.each<[string, () => string, readonly number[]]>([
    ['HTTP/1.0 with chunks', () => post(CHUNKED, END + smuggled(), 'HTTP/1.0'), [400]],
    ['HTTP/1.2', () => get(HOST, side().read, 'HTTP/1.2'), [400]],
    ['HTTP/2.0 in HTTP/1’s words', () => get(HOST, side().read, 'HTTP/2.0'), [400]],
    ['HTTP/0.9', () => `GET ${side().read}\r\n\r\n`, [400]],
    ['the preface of HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400]],
    ['line feeds alone', () => `GET ${side().read} HTTP/1.1\nHost: localhost\n\n`, [400]],
    ['a blank before the method', () => ` ${get()}`, [400]],
    ['a method that nobody knows', () => get().replace('GET', 'SMUGGLE'), [400]],
    ['no host', () => get(''), [400, 421]],
    ['a host of nothing', () => get('Host:\r\n'), [421]],
    ['a host with a user', () => get('Host: localhost@evil.example\r\n'), [421]],
    ['a list of hosts', () => get('Host: localhost, evil.example\r\n'), [421]],
    ['a host with another name as its port', () => get('Host: localhost:evil.example\r\n'), [421]],
    ['an address at another host', () => get(HOST, `https://evil.example${side().read}`), [421]],
    ['an address with a user', () => get(HOST, `https://localhost@evil.example${side().read}`), [421]],
    ['an address and a host that differ, ours second', () => get('Host: evil.example\r\n', side().read), [421]],
    ['an address without a slash', () => get(HOST, side().read.slice(1)), [400, 404]],
    ['an address with backslashes', () => get(HOST, side().read.replaceAll('/', '\\')), [400, 404]],
    ['an address that climbs', () => get(HOST, `/x/..${side().read}`), [400, 404]],
    ['an address with two slashes', () => get(HOST, `/${side().read}`), [400, 404]],
    ['an address with a fragment', () => get(HOST, `${side().read}#x`), [400]],
    ['an address of everything', () => get(HOST, '*'), [400, 404]],
    ['sixteen thousand bytes of headers', () => get(`${HOST}X: ${'a'.repeat(20_000)}\r\n`), [431]],
    ['sixteen thousand bytes of address', () => get(HOST, `${side().read}?${'a'.repeat(20_000)}`), [431]],
    ['two thousand headers', () => get(HOST + 'X: 1\r\n'.repeat(2_000)), [431]],
    ['a host behind a hundred headers', () => get('X-A: 1\r\n'.repeat(120) + HOST), [431]],
  ])('%s: refused', async (_what, text, statuses) => {
    // Nothing follows: the door need not wait whether something does.
    await refusedOnce(text().replace('HTTP/1.1\r\n', 'HTTP/1.1\r\nConnection: close\r\n'), statuses);
  });

  test('CONNECT is not answered at all, and TRACE tells nothing', async () => {
    expect((await talk(side().client, get().replace(/^GET \S+/, 'CONNECT localhost:443'))).text).toBe('');
    const traced = await talk(side().client, get(`${HOST}X-Secret: 12345\r\n`).replace('GET', 'TRACE'));
    expect(traced.statuses).toEqual([404]);
    expect(traced.text).not.toContain('12345');
  });

  test('a whole address at our own host is the path behind it', async () => {
    const talked = await talk(side().client, get('Host: evil.example\r\n', `https://localhost${side().read}`));
    expect(talked.statuses).toEqual([200]);
  });

  test('headers that name another address, method or host change nothing', async () => {
    const before = side().hits();
    const names = ['X-Original-URL', 'X-Rewrite-URL', 'X-Forwarded-Path', 'X-Forwarded-Host', 'Forwarded'];
    const others = [...names.map((header) => `${header}: ${side().hidden}\r\n`), 'X-HTTP-Method-Override: DELETE\r\n'];
    const talked = await talk(side().client, post(`${others.join('')}Content-Length: 2\r\n`, '{}'));
    expect(talked.statuses).toEqual([side().written]);
    expect(talked.text).not.toContain(side().hidden);
    expect(side().hits()).toBe(before);
  });

  test('an upgrade is not made: the request is answered as it is', async () => {
    for (const wanted of ['h2c', 'websocket', 'TLS/1.2']) {
      const talked = await talk(side().client, get(`${HOST}Connection: Upgrade\r\nUpgrade: ${wanted}\r\n`));
      expect([wanted, talked.statuses]).toEqual([wanted, [200]]);
    }
  });

  test('a body is a body, whatever stands in it: refused, unknown, too large or taken', async () => {
    const before = side().hits();
    const body = smuggled();
    const length = `Content-Length: ${body.length}\r\n`;
    const texts: readonly [string, number][] = [
      [get(HOST + length) + body, 400],
      [post(length, body).replace(side().write, `${side().write}/nothing/at/all`), 404],
      [post(length, body).replace('localhost', 'evil.example'), 421],
      [post(length, body), body.length > 100 ? 413 : side().written],
      [post('Content-Length: 5000\r\n', body.padEnd(5_000, '\r\n')), 413],
      [post(CHUNKED, `${body.length.toString(16)}\r\n${body}\r\n${END}`), side().written],
    ];
    for (const [text, status] of texts) expect((await talk(side().client, text)).statuses).toEqual([status]);
    // Announced and not sent: there is no second answer to it either.
    expect((await talk(side().client, post('Content-Length: 5000\r\n', body))).statuses).toEqual([413]);
    expect(side().hits()).toBe(before);
  });

  test('requests one behind the other are answered one behind the other, each checked by itself', async () => {
    const three = get() + get('Host: evil.example\r\n') + get();
    expect((await talk(side().client, three)).statuses).toEqual([200, 421, 200]);
  });

  test.each(['rubbish\r\n\r\n', 'GET', 'GET / HTTP/1.1\r\nHost : x\r\n\r\n', '\0\0\0\0'])(
    'whole requests with %j behind them are answered as what they are',
    async (rubbish) => {
      const written = post('Content-Length: 2\r\n', '{}');
      const [first, second] = (await talk(side().client, written + get() + rubbish)).statuses;
      expect([first, second]).toEqual([side().written, 200]);
      const last = await talk(side().client, post('Connection: close\r\nContent-Length: 2\r\n', `{}${rubbish}`));
      expect(last.statuses).toEqual([side().written]);
    },
  );

  test('HTTP/2 is not spoken', async () => {
    await expect(rawConnection(side().client, ['h2'])).rejects.toThrow(/no application protocol/);
    const socket = await rawConnection(side().client, ['h2', 'http/1.1']);
    expect(socket.alpnProtocol).toBe('http/1.1');
    socket.destroy();
  });

  test('the door serves after all this', async () => {
    expect((await talk(side().client, get())).statuses).toEqual([200]);
  });
});

test('what was refused is on record', () => {
  for (const refusals of [usersDoor.refusals, systemsDoor.refusals]) {
    const codes = new Set(refusals.map(({ problem }) => problem.code));
    expect([...codes]).toEqual(expect.arrayContaining(['request-broken', 'host-unknown', 'headers-too-large']));
  }
});
