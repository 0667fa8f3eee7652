import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FhirDoor, fhirDoor } from '../support/fhir-door.ts';
import { person } from '../support/registry.ts';
import type { KeyMaterial } from '../../src/platform/tls/index.ts';

let door: FhirDoor;
let clinic: KeyMaterial;
let thief: KeyMaterial;
const CLINIC = 'urn:merge:clinic';
const THIEF = 'urn:merge:thief';
const JSON_BODY = { 'content-type': 'application/fhir+json' };
beforeAll(async () => {
  door = await fhirDoor();
  clinic = await door.newNode(CLINIC);
  thief = await door.newNode(THIEF);
  for (const key of ['1', '2', '3']) await put(clinic, CLINIC, key, somebody(CLINIC, key));
  await put(thief, THIEF, 'own', somebody(THIEF, 'own'));
});
afterAll(() => door.close());

const somebody = (system: string, key: string, more: object = {}) => ({
  ...person({
    given: `Given${key}`,
    family: `Family${key}`,
    birthDate: `19${20 + (key.charCodeAt(0) % 60)}-02-0${1 + (key.length % 8)}`,
    key: [system, key],
  }),
  ...more,
});
const put = (who: KeyMaterial, system: string, key: string, body: object) =>
  door.send(who, {
    method: 'PUT',
    path: `/fhir/Patient?identifier=${encodeURIComponent(`${system}|${key}`)}`,
    headers: JSON_BODY,
    body: JSON.stringify(body),
  });
const replaced = (system: string, key: string, other: object) =>
  somebody(system, key, { active: false, link: [{ other, type: 'replaced-by' }] });
const identified = (system: string, value: string) => ({ identifier: { system, value } });
const golden = async (system: string, key: string): Promise<string> => {
  const found = await door.send(clinic, { path: `/fhir/Patient?identifier=${encodeURIComponent(`${system}|${key}`)}` });
  return found.json<{ entry: { resource: { id: string } }[] }>().entry[0]?.resource.id ?? '';
};
const ways: [string, (body: object, key: string, system: string) => ReturnType<FhirDoor['send']>][] = [
  ['a PUT', (body, key, system) => put(thief, system, key, body)],
  [
    'a message',
    (body) =>
      door.send(thief, {
        method: 'POST',
        path: '/fhir/$process-message',
        headers: JSON_BODY,
        body: JSON.stringify({
          resourceType: 'Bundle',
          type: 'message',
          entry: [
            {
              resource: {
                resourceType: 'MessageHeader',
                eventUri: 'urn:ihe:iti:pmir:2019:patient-feed',
                source: { endpoint: 'urn:x' },
                destination: [{ endpoint: 'urn:y' }],
              },
            },
            {
              resource: {
                resourceType: 'Bundle',
                type: 'history',
                entry: [{ resource: body, request: { method: 'PUT', url: 'Patient/x' } }],
              },
            },
          ],
        }),
      }),
  ],
];

describe('P43: a valid node merges its own records and no others, forwards and once', () => {
  for (const [how, send] of ways) {
    test(`${how} that replaces another's record, or takes another's as survivor, changes nothing`, async () => {
      const before = [await golden(CLINIC, '1'), await golden(CLINIC, '2')];
      const foreignObsolete = await send(replaced(CLINIC, '1', identified(THIEF, 'own')), '1', CLINIC);
      expect(foreignObsolete.status).toBe(403);
      const foreignSurvivor = await send(replaced(THIEF, 'own', identified(CLINIC, '2')), 'own', THIEF);
      expect(foreignSurvivor.status).toBe(403);
      expect([await golden(CLINIC, '1'), await golden(CLINIC, '2')]).toEqual(before);
    });
  }
  test('$merge of foreign records changes nothing', async () => {
    const named = (name: string, system: string, value: string) => ({ name, valueIdentifier: { system, value } });
    for (const [source, target] of [
      [CLINIC, THIEF],
      [THIEF, CLINIC],
    ] as const) {
      const key = (system: string): string => (system === THIEF ? 'own' : '1');
      const body = {
        resourceType: 'Parameters',
        parameter: [
          named('source-patient-identifier', source, key(source)),
          named('target-patient-identifier', target, key(target)),
        ],
      };
      const answer = await door.send(thief, {
        method: 'POST',
        path: '/fhir/Patient/$merge',
        headers: JSON_BODY,
        body: JSON.stringify(body),
      });
      expect(answer.status).toBe(403);
    }
  });
  test('a link in a create, a batch or a transaction merges nothing', async () => {
    const body = replaced(CLINIC, '9', identified(CLINIC, '1'));
    const created = await door.send(clinic, {
      method: 'POST',
      path: '/fhir/Patient',
      headers: JSON_BODY,
      body: JSON.stringify(body),
    });
    expect(created.status).toBe(422);
    for (const type of ['batch', 'transaction']) {
      const bundle = {
        resourceType: 'Bundle',
        type,
        entry: [
          {
            resource: replaced(CLINIC, '2', identified(CLINIC, '1')),
            request: { method: 'PUT', url: `Patient?identifier=${CLINIC}|2` },
          },
        ],
      };
      await door.send(clinic, { method: 'POST', path: '/fhir', headers: JSON_BODY, body: JSON.stringify(bundle) });
    }
    expect(await golden(CLINIC, '2')).not.toBe(await golden(CLINIC, '1'));
  });
  test('no loop, no way back: A by B, then B by A, A by A, and A brought back', async () => {
    expect((await put(clinic, CLINIC, '3', replaced(CLINIC, '3', identified(CLINIC, '2')))).status).toBe(200);
    expect((await put(clinic, CLINIC, '2', replaced(CLINIC, '2', identified(CLINIC, '3')))).status).toBe(409);
    expect((await put(clinic, CLINIC, '2', replaced(CLINIC, '2', identified(CLINIC, '2')))).status).toBe(422);
    expect((await put(clinic, CLINIC, '3', somebody(CLINIC, '3'))).status).toBe(405);
    expect(await golden(CLINIC, '3')).toBe(await golden(CLINIC, '2'));
  });
  test('two merges at once in both directions leave one survivor', async () => {
    for (const key of ['x', 'y']) await put(clinic, CLINIC, key, somebody(CLINIC, key));
    const both = await Promise.all([
      put(clinic, CLINIC, 'x', replaced(CLINIC, 'x', identified(CLINIC, 'y'))),
      put(clinic, CLINIC, 'y', replaced(CLINIC, 'y', identified(CLINIC, 'x'))),
    ]);
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
  });
});
