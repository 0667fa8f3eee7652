import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FhirClient, fhirFixture } from '../support/fhir-client.ts';
import { person, type RegistryFixture, registryFixture } from '../support/registry.ts';

let f: RegistryFixture;
let owner: FhirClient;
let other: FhirClient;
beforeAll(async () => {
  f = await registryFixture({ informativeIdentifiers: true });
  const fhir = fhirFixture(f, { identityRules: 'openhie' });
  owner = fhir.as(await f.node('insurance', 'urn:insurance'));
  other = fhir.as(await f.node('clinic', 'urn:clinic'));
  await owner.post(
    '/fhir/Patient',
    person({
      key: ['urn:insurance', '77'],
      given: 'Victim',
      family: 'Person',
      birthDate: '1950-01-01',
      gender: 'female',
    }),
  );
});
afterAll(() => f.close());
const carrying = (use: string | undefined, key = 'x') => ({
  ...person({ given: 'Mallory', family: 'Stranger', birthDate: '1990-09-09', gender: 'male' }),
  identifier: [
    { system: 'urn:clinic', value: key },
    { system: 'urn:insurance', value: '77', ...(use ? { use } : {}) },
  ],
});

describe('P47: under OpenHIE’s rules another’s identifier is carried as information and attaches nobody to anybody', () => {
  test('a record with the victim’s identifier does not join the victim', async () => {
    expect((await other.post('/fhir/Patient', carrying('usual'))).status).toBe(201);
    const victim = await owner.get('/fhir/Patient?family=Person');
    expect(victim.json.entry[0].resource.link).toHaveLength(1);
    expect(victim.text).not.toContain('Mallory');
  });
  test('a cross-reference by the identifier answers with its owner’s record', async () => {
    const pix = await owner.get('/fhir/Patient/$ihe-pix?sourceIdentifier=urn:insurance%7C77');
    expect(pix.text).not.toContain('urn:clinic');
  });
  test.each([['official'], [undefined]])('use %s is a claim, and refused', async (use) => {
    expect((await other.post('/fhir/Patient', carrying(use, 'y'))).status).toBe(403);
  });
  test('without an identifier of its own the sender may not carry it at all', async () => {
    const bare = { ...carrying('usual'), identifier: [{ system: 'urn:insurance', value: '77', use: 'usual' }] };
    expect((await other.post('/fhir/Patient', bare)).status).toBe(403);
  });
});
