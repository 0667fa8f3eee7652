import { afterAll, beforeAll, expect, test } from 'vitest';
import { elementsMax, parseDicom } from '../../src/features/atna/dicom-parse.ts';
import { createRepository, type Repository } from '../../src/features/atna/receiver.ts';
import { listReceived, oneReceived } from '../../src/features/atna/received-list.ts';
import { type Audit, createAudit } from '../../src/features/audit/index.ts';
import { nodeActor, testKeyRing } from '../support/audit.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

/** P72: audit messages in hostile XML are read as what they say or not at all, kept as they came, and cost what a message may cost. */
const MEGABYTE = 1_048_576;
const IDENTIFICATION =
  '<EventIdentification EventActionCode="R" EventDateTime="2026-01-31T09:30:00Z" EventOutcomeIndicator="0"><EventID csd-code="110110" codeSystemName="DCM"/></EventIdentification>';
const REST = '<ActiveParticipant UserID="u" UserIsRequestor="true"/><AuditSourceIdentification AuditSourceID="s"/>';
const around = (inner: string, root = ''): string =>
  `<AuditMessage${root}>${IDENTIFICATION}${REST}${inner}</AuditMessage>`;
const many = (n: number, text: (at: number) => string): string =>
  Array.from({ length: n }, (_, at) => text(at)).join('');
const laughs = many(
  12,
  (at) => `<!ENTITY l${at + 1} "&l${at};&l${at};&l${at};&l${at};&l${at};&l${at};&l${at};&l${at};">`,
);

/** Nothing of these is an event. */
const REFUSED: readonly (readonly [string, string | Uint8Array])[] = [
  ['entities that grow', `<!DOCTYPE x [<!ENTITY l0 "lol">${laughs}]>${around('&l12;')}`],
  ['a file as entity', `<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>${around('&f;')}`],
  ['an address as entity', `<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;]>${around('')}`],
  ['a DTD elsewhere', `<!DOCTYPE AuditMessage SYSTEM "http://127.0.0.1:9/x.dtd">${around('')}`],
  ['an entity nobody declared', around('<ParticipantObjectIdentification ParticipantObjectID="&x;"/>')],
  ['depth', around(`${'<a>'.repeat(150_000)}${'</a>'.repeat(150_000)}`)],
  ['depth without an end', `<AuditMessage>${'<a>'.repeat(300_000)}`],
  ['more elements than a message has', around('<x/>'.repeat(100_000))],
  ['a datagram of nothing but participants', around('<ActiveParticipant/>'.repeat(3_100))],
  ['half as many participants as elements, and one', around('<ActiveParticipant UserID="u"/>'.repeat(250))],
  ['a datagram of nothing but elements', around('<x/>'.repeat(15_000))],
  ['an attribute twice', around('', ' a="1" a="2"')],
  ['two roots', around('') + around('')],
  ['text behind the root', `${around('')}x`],
  ['a character that XML has not', around('<X>&#0;</X>')],
  ['half a character', around('<X>&#xD800;</X>')],
  ['a character beyond all', around('<X>&#99999999999999999999;</X>')],
  ['UTF-16 that says so', Buffer.from(`\ufeff<?xml version="1.0" encoding="UTF-16"?>${around('')}`, 'utf16le')],
  ['UTF-16 that says UTF-8', Buffer.from(`\ufeff<?xml version="1.0" encoding="UTF-8"?>${around('')}`, 'utf16le')],
  ['UTF-8 that says UTF-16', `<?xml version="1.0" encoding="UTF-16"?>${around('')}`],
  ['another encoding', `<?xml version="1.0" encoding="ISO-8859-1"?>${around('')}`],
  ['an encoding with holes', `<?xml version="1.0" encoding="UTF-7"?>${around('+ADw-script+AD4-')}`],
  ['bytes that are no UTF-8', Buffer.concat([Buffer.from(around('<X>').slice(0, -15)), Buffer.from([0xc3, 0x28])])],
  ['an unclosed CDATA', `<AuditMessage><![CDATA[${'x'.repeat(MEGABYTE - 100)}`],
  ['an unclosed comment', `<AuditMessage><!--${'-'.repeat(MEGABYTE - 100)}`],
  ['nothing', ''],
  ['only spaces', ' '.repeat(MEGABYTE)],
];

test.each(REFUSED)('%s: no event', { timeout: 30_000 }, (_, text) => {
  expect(parseDicom(typeof text === 'string' ? Buffer.from(text) : text)).toBeUndefined();
});

test('a datagram may have one element per 64 bytes: no message of a real sender is refused by that', () => {
  const image = '<Instance UID="1.2.840.113619.2.5.1762583153.215519.978957063.780000000000001"/>';
  const unsigned = Buffer.from(
    around(
      `<ParticipantObjectIdentification ParticipantObjectID="s">${image.repeat(770)}</ParticipantObjectIdentification>`,
    ),
  );
  expect(unsigned.byteLength).toBeGreaterThan(60_000);
  expect(parseDicom(unsigned)).toBeDefined();
  expect(elementsMax(65_535)).toBe(1_023);
  expect(parseDicom(Buffer.from(around('<x/>'.repeat(490))))).toBeDefined();
  expect(parseDicom(Buffer.from(around('<x/>'.repeat(500))))).toBeUndefined();
});

/** These are events, whatever stands around what counts. */
const TAKEN: readonly (readonly [string, string])[] = [
  ['an attribute of a megabyte', around('', ` note="${'x'.repeat(MEGABYTE - 1_000)}"`)],
  [
    'fifty thousand attributes of the root',
    around(
      '',
      many(50_000, (at) => ` a${at}=""`),
    ),
  ],
  [
    'thousands of namespaces',
    around(
      '',
      many(20_000, (at) => ` xmlns:n${at}="urn:n"`),
    ),
  ],
  ['names that mean something elsewhere', around('<__proto__ constructor="x"/>', ' __proto__="polluted" toString="x"')],
  ['comments and instructions', `<?xml version="1.0"?><!--${'x'.repeat(500_000)}-->${around('<?php die() ?>')}`],
  ['a mark before it', `\ufeff${around('')}`],
  ['another prefix', around('').replaceAll(/<(\/?)(\w)/g, '<$1x:$2')],
  [
    'all the participants there is room for',
    around(
      many(
        5_500,
        (at) =>
          `<ParticipantObjectIdentification ParticipantObjectID="1.2.840.113619.2.5.1762583153.215519.978957063.${at}"><ParticipantObjectIDTypeCode csd-code="110181"/></ParticipantObjectIdentification>`,
      ),
    ),
  ],
];

test.each(TAKEN)('%s: the event, and nothing else changes', { timeout: 30_000 }, (_, text) => {
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MEGABYTE);
  const event = parseDicom(Buffer.from(text));
  expect(event).toMatchObject({ resourceType: 'AuditEvent', type: { code: '110110' }, outcome: '0' });
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

let db: TestDatabase;
let audit: Audit;
let repository: Repository;
beforeAll(async () => {
  db = await testDatabase();
  const common = { database: db.database, keyRing: testKeyRing(), clock: { nowMs: () => Date.now() } };
  const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
  audit = createAudit({ ...common, source, onFailure: () => undefined });
  repository = createRepository({ ...common, audit });
});
afterAll(async () => {
  await audit.stop();
  await db.close();
});

test('all of it is kept byte for byte, told apart, listed and shown', { timeout: 60_000 }, async () => {
  const head = '<85>1 2026-01-31T09:30:00Z h a - IHE+RFC-3881 - ';
  const sent = [...REFUSED, ...TAKEN].map(([, text]) =>
    Buffer.concat([Buffer.from(head), Buffer.from(text as string)]),
  );
  const kept: string[] = [];
  for (const message of sent) {
    const incoming = { transport: 'tls', address: '127.0.0.1', truncated: false, message } as const;
    kept.push(...(await repository.keep(nodeActor, [incoming])).kept.map(({ id }) => id));
  }
  const deps = { database: db.database, repository };
  const { events } = await listReceived(deps, { limit: 200 });
  expect(events).toHaveLength(sent.length);
  expect(events.filter(({ understood }) => understood)).toHaveLength(TAKEN.length);
  expect(events.filter(({ altered }) => altered === true)).toEqual([]);
  for (const [at, id] of kept.entries()) {
    const one = await oneReceived(deps, id);
    expect(one.message?.bytes).toBe(sent[at]?.byteLength);
    expect(one.event.understood).toBe(at >= REFUSED.length);
  }
});
