import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FhirDoor, fhirDoor } from '../support/fhir-door.ts';
import type { KeyMaterial } from '../../src/platform/tls/index.ts';

let door: FhirDoor;
let node: KeyMaterial;
beforeAll(async () => {
  door = await fhirDoor();
  node = await door.newNode('urn:xml');
});
afterAll(() => door.close());

const NS = 'xmlns="http://hl7.org/fhir"';
const SECRET = 'Verysecretname';
const LAUGHS = `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">${'bcdefghij'
  .split('')
  .map((name, index) => `<!ENTITY ${name} "${`&${'abcdefghij'[index]};`.repeat(10)}">`)
  .join('')}]>`;
const bodies: [string, string][] = [
  ['billion laughs', `${LAUGHS}<Bundle ${NS}><id value="&j;"/></Bundle>`],
  [
    'an entity of a file',
    `<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><Bundle ${NS}><id value="&f;"/></Bundle>`,
  ],
  ['an entity of an address', `<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><Bundle ${NS}/>`],
  ['truncated', `<Bundle ${NS}><type value="message"/><entry><resource><Patient><name><family value="${SECRET}"`],
  ['an end tag missing', `<Bundle ${NS}><type value="message"/><entry></Bundle>`],
  ['nested too deeply', `<Bundle ${NS}>${'<entry><resource><Bundle>'.repeat(100)}`],
  ['a processing instruction', `<?xml-stylesheet href="http://127.0.0.1/x"?><Bundle ${NS}/>`],
  ['another encoding', `<?xml version="1.0" encoding="UTF-16"?><Bundle ${NS}/>`],
  ['another namespace', '<Bundle xmlns="urn:other"><type value="message"/></Bundle>'],
  ['an undefined entity', `<Bundle ${NS}><id value="&nbsp;"/></Bundle>`],
  ['nothing', ''],
  ['elements without end', `<Bundle ${NS}>${'<entry/>'.repeat(210_000)}</Bundle>`],
];
const addresses: [string, string][] = [
  ['POST', '/fhir'],
  ['POST', '/fhir/Bundle'],
  ['POST', '/fhir/$process-message'],
  ['POST', '/fhir/Patient/$merge'],
  ['POST', '/fhir/Patient/$ihe-pix'],
  ['PUT', '/fhir/Patient?identifier=urn:xml|1'],
];

describe('P44: no XML makes a feed read a file, reach an address, grow, or say what was in it', () => {
  for (const [method, path] of addresses) {
    test.each(bodies)(`${method} ${path}: %s is refused`, async (_what, body) => {
      const answer = await door.send(node, { method, path, headers: { 'content-type': 'application/fhir+xml' }, body });
      expect([400, 413]).toContain(answer.status);
      expect(answer.text).toContain('OperationOutcome');
      expect(`${answer.text}${door.traces()}`).not.toMatch(/root:x|hahaha|Verysecretname/);
    });
  }
});
