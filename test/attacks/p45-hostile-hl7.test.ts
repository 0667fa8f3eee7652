import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { framed } from '../../src/platform/mllp/index.ts';
import type { KeyMaterial } from '../../src/platform/tls/index.ts';
import { statement } from '../../src/platform/db/index.ts';
import { answerOf, type Hl7Door, hl7Door, type Hl7Line } from '../support/hl7.ts';
import { operator } from '../support/nodes.ts';
import { testAuthority, testLeaf } from '../support/tls.ts';

let door: Hl7Door;
let id: string;
let node: KeyMaterial;
const lines: Hl7Line[] = [];
beforeAll(async () => {
  door = await hl7Door({ limits: { messageTimeoutMs: 400, idleTimeoutMs: 1_500, messageBytesMax: 20_000 } });
  ({ id, identity: node } = await door.newNode('urn:oid:1.2.3.9'));
});
afterEach(() => {
  for (const line of lines.splice(0)) line.socket.destroy();
});
afterAll(() => door.close());

const GOOD = 'MSH|^~\\&|A|B|C|D|20260101||ADT^A04|G1|P|2.5.1\rPID|||good-1||Good^One||19700101|F\r';
async function open(identity: KeyMaterial | undefined = node): Promise<Hl7Line> {
  const line = await door.open(identity);
  lines.push(line);
  return line;
}
async function answered(raw: string | Uint8Array): Promise<{ ack: string; text: string; line: Hl7Line }> {
  const line = await open();
  line.write(raw);
  const answer = answerOf((await line.next()) ?? '');
  return { ack: answer.ack, text: answer.text, line };
}
const records = async (): Promise<number> =>
  Number(
    (
      await door.f.db.ownerDatabase.rows(
        statement<{ n: bigint }>('test.records', 'SELECT count(*) AS n FROM registry.source'),
      )
    )[0]?.n,
  );

const refusals = async (): Promise<number> => {
  await door.f.audit.sequence();
  const count = statement<{ n: bigint }>(
    'test.told',
    "SELECT count(*) AS n FROM audit.event WHERE event = 'hl7.refused'",
  );
  return Number((await door.f.db.ownerDatabase.rows(count))[0]?.n);
};

describe('P45: nothing that is sent to the HL7 port makes it read more than it takes, or write what was not understood', () => {
  test('no certificate, or one of a stranger: closed before a byte is read, and recorded', async () => {
    const stranger = await testLeaf(await testAuthority(), { usage: 'client' });
    for (const identity of [undefined, stranger]) {
      const line = await door.open(identity);
      line.write(framed(Buffer.from(GOOD)));
      expect(await line.next()).toBeUndefined();
    }
    await door.f.audit.sequence();
    const refused = statement<{ n: bigint }>(
      'test.refused',
      "SELECT count(*) AS n FROM audit.event WHERE event IN ('access.refused', 'node.authenticate') AND outcome <> 0",
    );
    expect(Number((await door.f.db.ownerDatabase.rows(refused))[0]?.n)).toBeGreaterThan(0);
    expect(await records()).toBe(0);
  });
  test.each([
    ['HL7 without MSH', framed(Buffer.from('PID|||1||X^Y\r'))],
    ['an empty frame', framed(new Uint8Array(0))],
    ['rubbish in a frame', framed(Uint8Array.from({ length: 999 }, (_, index) => ((index * 7) % 251) | 0x20))],
    ['delimiters that are letters', framed(Buffer.from(GOOD.replace('|^~\\&', 'ABCDE')))],
    [
      'Latin-1 said to be UTF-8',
      framed(Buffer.from(`${GOOD.replace('2.5.1\r', '2.5.1||||||UNICODE UTF-8\r')}NTE|Müller\r`, 'latin1')),
    ],
    ['UTF-16', framed(Buffer.from(GOOD, 'utf16le'))],
    ['unframed', GOOD],
    ['a frame in a frame', `\x0b${GOOD}\x0b${GOOD}\x1c\r`],
    ['a frame that does not end', `\x0b${GOOD}\x1cX`],
    ['too large', `\x0b${'x'.repeat(30_000)}`],
    ['three thousand segments', framed(Buffer.from(`${GOOD}${'Z\r'.repeat(3_000)}`))],
  ])('%s: AR, and nothing written', async (_what, raw) => {
    const { ack, text } = await answered(raw);
    expect(ack).toBe('AR');
    expect(text).not.toContain('Good');
    expect(await records()).toBe(0);
  });
  test('after lost framing the connection ends: no guess at where the next message begins', async () => {
    const { line } = await answered(`garbage${Buffer.from(framed(Buffer.from(GOOD))).toString('latin1')}`);
    expect(await line.next()).toBeUndefined();
    expect(await records()).toBe(0);
  });
  test('a message byte by byte ends at its deadline, a silent connection at its own', async () => {
    const before = await refusals();
    const slow = await open();
    // Each byte puts the silence's end off: without a deadline of the message it would never end.
    const began = Date.now();
    slow.write('\x0bMSH');
    const drip = setInterval(() => slow.write('x'), 50);
    await slow.closed();
    clearInterval(drip);
    expect(Date.now() - began).toBeLessThan(15_000);
    await expect.poll(async () => (await refusals()) - before).toBe(1);
    const silent = await open();
    await silent.closed();
  });
  test('sixty connections that send half a message do not keep an honest one from being served', async () => {
    const many = await Promise.allSettled(Array.from({ length: 60 }, () => open()));
    for (const one of many) if (one.status === 'fulfilled') one.value.write('\x0bMSH|^~\\&|half');
    const { ack } = await answered(framed(Buffer.from(GOOD)));
    expect(ack).toBe('AA');
    expect(await records()).toBe(1);
  });
  test('a revoked node is not heard on the connection it still has', async () => {
    const line = await open();
    await door.f.nodes.revokeNode(operator, { id } as never, 'lost');
    line.write(framed(Buffer.from(GOOD.replace('good-1', 'good-2'))));
    expect(await line.next()).toBeUndefined();
    expect(await records()).toBe(1);
  });
});
