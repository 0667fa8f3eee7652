import { Hl7Message as OtherParser } from '@medplum/core';
import { Batch, Client, FileBatch, Message } from 'node-hl7-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KeyMaterial } from '../../../src/platform/tls/index.ts';
import { answerOf, type Hl7Door, hl7Door } from '../../support/hl7.ts';

const CLINIC = 'urn:oid:1.2.3.1';
let door: Hl7Door;
let clinic: KeyMaterial;
let hospital: KeyMaterial;
beforeAll(async () => {
  door = await hl7Door();
  clinic = (await door.newNode(CLINIC)).identity;
  hospital = (await door.newNode('urn:hl7:b')).identity;
  await door.alias('hl7v2:CLINIC', CLINIC);
  await door.alias('hl7v2:HOSP', 'urn:hl7:b');
});
afterAll(() => door.close());

type Line = ReturnType<Client['createConnection']>;
type Handler = (reply: { getMessage(): { get(path: string): { toString(): string } } }) => Promise<void>;

function otherClient(handler: Handler): Line {
  const tls = { ca: door.ca, cert: clinic.certificate, key: clinic.key, servername: 'localhost' };
  const client = new Client({ host: 'localhost', version: '2.5.1', tls } as never);
  return client.createConnection({ port: door.port } as never, handler);
}

/** What the other client hands on: MSA-1 of each acknowledgement, as it read them. */
async function acknowledged(send: (line: Line) => Promise<unknown>, answers: number): Promise<string[]> {
  const codes: string[] = [];
  const all = Promise.withResolvers<void>();
  const line = otherClient(async (reply) => {
    codes.push(reply.getMessage().get('MSA.1').toString());
    if (codes.length === answers) all.resolve();
  });
  line.on('data.error', all.reject);
  await send(line);
  await all.promise;
  await line.close();
  return codes;
}

let control = 0;
/** A registration; `accept` and `application` are MSH-15 and MSH-16. */
function registration(id: string, accept = '', application = ''): string {
  control += 1;
  const header = `MSH|^~\\&|EMR|CLINIC|CR|MOH|20260101120000||ADT^A04^ADT_A01|O${control}|P|2.5.1|||${accept}|${application}`;
  const phone = `+256700${200_000 + control}^PRN^PH`;
  return `${header}\rEVN||20260101120000\rPID|||${id}||Okello^Amina^${control}||19840312|F|||1 Main St^^Kampala^^^UG||${phone}`;
}
const batchOf = (...ids: readonly string[]): Batch => {
  const batch = new Batch();
  batch.start();
  for (const id of ids) batch.add(new Message({ text: registration(id) }));
  batch.end();
  return batch;
};
const isThere = async (key: string): Promise<boolean> =>
  (await door.f.registry.as(door.f.operator.principal).findByKey(CLINIC, key)) !== undefined;

describe('HL7 v2 with other programs', () => {
  it('node-hl7-client · a message over mutual TLS gets its AA', async () => {
    const message = new Message({ text: registration('one^^^CLINIC') });
    expect(await acknowledged((line) => line.sendMessage(message), 1)).toEqual(['AA']);
    expect(await isThere('one')).toBe(true);
  });
  it('node-hl7-client · its batch gets an answer to each message, the one at fault too', async () => {
    const batch = batchOf('batch-1^^^CLINIC', 'batch-2^^^NOWHERE', 'batch-3^^^CLINIC');
    expect(await acknowledged((line) => line.sendMessage(batch), 3)).toEqual(['AA', 'AE', 'AA']);
    expect(await Promise.all(['batch-1', 'batch-2', 'batch-3'].map(isThere))).toEqual([true, false, true]);
  });
  it('node-hl7-client · its file gets an answer to each message', async () => {
    const file = new FileBatch();
    file.start();
    file.add(batchOf('file-1^^^CLINIC', 'file-2^^^CLINIC'));
    file.end();
    // It takes no file for an answer, so this one is read by us: as it came through its framing.
    const raw = Promise.withResolvers<string>();
    const line = otherClient(async () => undefined);
    line.on('data.raw', raw.resolve);
    await line.sendMessage(file);
    expect(answerOf(await raw.promise).segments('MSA')).toMatchObject([{ 1: 'AA' }, { 1: 'AA' }]);
    await line.close();
    expect(await Promise.all(['file-1', 'file-2'].map(isThere))).toEqual([true, true]);
  });
  it('node-hl7-client · enhanced acknowledgement as MSH-15 and MSH-16 ask for it', async () => {
    const asking = (accept: string, application: string) => {
      const message = new Message({ text: registration(`e${control}^^^CLINIC`, accept, application) });
      return (line: Line) => line.sendMessage(message);
    };
    expect(await acknowledged(asking('AL', 'NE'), 1)).toEqual(['CA']);
    expect(await acknowledged(asking('NE', 'AL'), 1)).toEqual(['AA']);
    expect(await acknowledged(asking('AL', 'AL'), 2)).toEqual(['CA', 'AA']);
  });
  it('@medplum/core · its parser reads our answers', async () => {
    const who = 'Kato^Paul||19710203|M|||5 Lake Rd^^Jinja^^^UG||+256782333444^PRN^PH';
    const sent = (id: string) => `${registration(id).split('\r').slice(0, 2).join('\r')}\rPID|||${id}||${who}\r`;
    await door.send(clinic, sent('px^^^CLINIC'));
    await door.send(hospital, sent('py^^^HOSP'));
    const query = registration('x').replace('ADT^A04^ADT_A01', 'QBP^Q23^QBP_Q21').split('\r')[0];
    const { text } = await door.send(clinic, `${query}\rQPD|IHE PIX Query|tag-1|px^^^CLINIC|\rRCP|I\r`);
    const parsed = OtherParser.parse(text);
    expect(parsed.getSegment('MSA')?.getField(1)?.toString()).toBe('AA');
    expect(parsed.getSegment('PID')?.getField(3)?.getComponent(1)).toBe('py');
  });
});
