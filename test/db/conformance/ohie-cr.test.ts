import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAliases } from '../../../src/features/registry/index.ts';
import { type FhirAnswer, type FhirClient, fhirFixture } from '../../support/fhir-client.ts';
import { examples, fixture, OHIE_CR_IS_HERE } from '../../support/ohie-cr.ts';
import { type RegistryFixture, registryFixture } from '../../support/registry.ts';

let f: RegistryFixture;
let harness: FhirClient;
let a: FhirClient;
let b: FhirClient;
const TEST = 'http://ohie.org/test/test';
const TEST_A = 'http://ohie.org/test/test_a';
const TEST_B = 'http://ohie.org/test/test_b';
const NID = 'http://ohie.org/test/nid';

/** As the pages' preconditions ask: three systems with a domain each, open domains, and their OIDs. */
beforeAll(async () => {
  f = await registryFixture({ informativeIdentifiers: true });
  const aliases = createAliases({ database: f.db.database, clock: f.clock, audit: f.audit, domains: f.nodes.domains });
  const fhir = fhirFixture(f, { identityRules: 'openhie', aliases });
  harness = fhir.as(await f.node('TEST_HARNESS', TEST));
  a = fhir.as(await f.node('TEST_HARNESS_FHIR_A', TEST_A));
  b = fhir.as(await f.node('TEST_HARNESS_FHIR_B', TEST_B));
  for (const open of [
    NID,
    'http://ohie.org/test/nid-fhir',
    'http://ohie.org/test/orgs',
    'http://ohie.org/test/practs',
    'http://ohie.org/test/nhid',
  ])
    await f.domain(open);
  for (const [number, system] of [
    [1, TEST],
    [2, TEST_A],
    [3, TEST_B],
  ] as const)
    for (const root of ['1.3.6.1.4.1.52820', '2.16.840.1.113883'])
      await aliases.set(f.operator, { alias: `urn:oid:${root}.3.72.5.9.${number}`, system });
});
afterAll(() => f.close());

const post = (client: FhirClient, body: string | Uint8Array) =>
  client.post(
    JSON.parse(
      typeof body === 'string'
        ? body
        : Buffer.from(body)
            .toString('utf8')
            .replace(/^\ufeff/, ''),
    ).resourceType === 'Bundle'
      ? '/fhir/Bundle'
      : '/fhir/Patient',
    body,
  );
const find = (client: FhirClient, query: string) => client.get(`/fhir/Patient?${query}`);
const by = (client: FhirClient, system: string, value: string, more = '') =>
  find(client, `identifier=${encodeURIComponent(`${system}|${value}`)}${more}`);
const code = ({ json }: FhirAnswer): string => json.entry[0].resource.response.code;
const issue = ({ json }: FhirAnswer) => (json.resourceType === 'Bundle' ? json.entry[1].resource : json).issue[0];
const only = ({ json }: FhirAnswer) => {
  const patients = json.entry.filter(
    ({ resource }: { resource: { resourceType: string } }) => resource.resourceType === 'Patient',
  );
  expect(patients).toHaveLength(1);
  return patients[0].resource;
};
const identifiersIn = (patient: { identifier: { system: string; value: string }[] }) =>
  patient.identifier.map(({ system, value }) => `${system}|${value}`);
const pix = (client: FhirClient, source: string, target?: string) =>
  client.get(
    `/fhir/Patient/$ihe-pix?sourceIdentifier=${encodeURIComponent(source)}${target ? `&targetSystem=${encodeURIComponent(target)}` : ''}`,
  );
const targets = ({ json }: FhirAnswer): string[] =>
  json.parameter
    .filter(({ name }: { name: string }) => name === 'targetIdentifier')
    .map(
      ({ valueIdentifier }: { valueIdentifier: { system: string; value: string } }) =>
        `${valueIdentifier.system}|${valueIdentifier.value}`,
    );
const targetIds = ({ json }: FhirAnswer): string[] =>
  json.parameter
    .filter(({ name }: { name: string }) => name === 'targetId')
    .map(({ valueReference }: { valueReference: { reference: string } }) => valueReference.reference);

describe.skipIf(!OHIE_CR_IS_HERE)('OpenHIE client registry', () => {
  it('OHIE-CR-01 · an identifier without its system is refused (page and message)', async () => {
    const plain = await post(harness, examples('01')[0] ?? '');
    expect([plain.status, issue(plain).expression]).toEqual([422, ['Patient.identifier[0]']]);
    const message = await post(harness, fixture('01-10'));
    expect([message.status, code(message)]).toEqual([422, 'fatal-error']);
  });
  it('OHIE-CR-01 · a reference to an organization that is not here is refused', async () => {
    const answer = await post(harness, examples('01')[1] ?? '');
    expect([answer.status, issue(answer).code]).toEqual([422, 'not-found']);
  });
  for (const [what, olly, uma, first, second] of [
    ['page', () => examples('02')[0] ?? '', () => examples('02')[1] ?? '', 'FHR-020', 'FHR-021'],
    ['messages', () => fixture('02-10'), () => fixture('02-30'), 'FHR-403', 'FHR-404'],
  ] as const) {
    it(`OHIE-CR-02 · domains by OID and by URL are one (${what})`, async () => {
      expect((await post(harness, olly())).status).toBe(201);
      const found = await by(harness, TEST, first);
      expect(identifiersIn(only(found))).toContain(`${TEST}|${first}`);
      expect(only(found).link[0].type).toBe('seealso');
      expect((await post(harness, uma())).status).toBe(201);
      expect(identifiersIn(only(await by(harness, 'urn:oid:2.16.840.1.113883.3.72.5.9.1', second)))).toContain(
        `${TEST}|${second}`,
      );
    });
  }
  it('OHIE-CR-03 · identifiers of unknown domains, by URL and by OID, are refused (page and messages)', async () => {
    for (const body of [...examples('03'), fixture('03-10'), fixture('03-20')]) {
      const answer = await post(harness, body);
      expect([answer.status, issue(answer).code]).toEqual([422, 'code-invalid']);
      expect(issue(answer).details.text).toContain('not a valid identity domain');
    }
  });
  for (const [what, bodies, first, third] of [
    ['page', () => examples('04'), 'FHRA-040', 'FHRB-042'],
    ['messages', () => [fixture('04-10'), fixture('04-20'), fixture('04-30')], 'FHRA-0392', 'FHRB-4736'],
  ] as const) {
    it(`OHIE-CR-04 · another's domain is not assigned to; another's identifier may be carried (${what})`, async () => {
      const [one = '', two = '', three = ''] = bodies();
      expect((await post(a, one)).status).toBe(201);
      expect(only(await by(a, TEST_A, first)).name[0]).toMatchObject({ family: 'JONES', given: ['JENNIFER'] });
      const refused = await post(b, two);
      expect([refused.status, issue(refused).code]).toEqual([403, 'forbidden']);
      expect((await post(b, three)).status).toBe(201);
      const found = only(await by(b, TEST_B, third));
      expect(identifiersIn(found)).toEqual(expect.arrayContaining([`${TEST_B}|${third}`, `${TEST_A}|${first}`]));
    });
  }
  for (const [what, first, second, child, baby, mother] of [
    ['page', () => examples('05')[0] ?? '', () => examples('05')[1] ?? '', 'FHR-050', 'FHR-051', 'FHR-052'],
    ['messages', () => fixture('05-10'), () => fixture('05-20'), 'FHR-4956', 'FHR-4837', 'FHR-0844'],
  ] as const) {
    it(`OHIE-CR-05 · mother and child: relatives are kept and found, by maiden name too (${what})`, async () => {
      expect((await post(harness, first())).status).toBe(201);
      const found = await by(harness, TEST, child, '&_revinclude=RelatedPerson%3Apatient');
      expect(only(found).name[0].given).toEqual(['WIN MINH']);
      const related = found.json.entry.filter(
        ({ resource }: { resource: { resourceType: string } }) => resource.resourceType === 'RelatedPerson',
      );
      expect(
        related.map(({ resource }: { resource: { name: { given: string[] }[] } }) => resource.name[0]?.given),
      ).toEqual([['SU MYAT LWIN']]);
      expect((await post(harness, second())).status).toBe(201);
      const newborn = await by(harness, TEST, baby, '&_revinclude=RelatedPerson%3Apatient');
      expect(only(newborn)).toMatchObject({ gender: 'female', birthDate: '2021-04-25' });
      expect(JSON.stringify(newborn.json)).toContain(mother);
      expect(JSON.stringify(only(await by(harness, TEST, mother)).name)).toMatch(/Abels/i);
      const byMaidenName = await find(harness, 'mothersMaidenName=Abels');
      expect(
        byMaidenName.json.entry.flatMap(
          ({ resource }: { resource: { identifier: { system: string; value: string }[] } }) => identifiersIn(resource),
        ),
      ).toContain(`${TEST}|${baby}`);
    });
  }
  it('OHIE-CR-06 · PIXm: not found 404, cross-reference by a shared national id, unknown target 403', async () => {
    const none = await pix(a, `${TEST_A}|FHRA-060`);
    expect([none.status, issue(none).code]).toEqual([404, 'not-found']);
    const [first = '', second = ''] = examples('06');
    expect((await post(a, first)).status).toBe(201);
    const own = await pix(a, `${TEST_A}|FHRA-061`);
    expect(targets(own).sort()).toEqual([`${NID}|NID061`, `${TEST_A}|FHRA-061`]);
    expect(targetIds(own)).toHaveLength(1);
    expect((await post(b, second)).status).toBe(201);
    const crossed = await pix(b, `${NID}|NID061`, TEST_A);
    expect([crossed.status, targets(crossed), targetIds(crossed).length]).toEqual([200, [`${TEST_A}|FHRA-061`], 1]);
    const unknown = await pix(b, `${TEST_B}|FHRB-062`, 'http://ohie.org/test/test_x');
    expect([unknown.status, issue(unknown).code]).toEqual([403, 'code-invalid']);
  });
  for (const [what, body] of [
    ['page', () => examples('07')[0] ?? ''],
    ['message', () => fixture('07-10')],
  ] as const) {
    it(`OHIE-CR-07 · the full registration is no valid R4 in two places, and refused with both (${what})`, async () => {
      const answer = await post(harness, body());
      expect([answer.status, code(answer)]).toEqual([400, 'fatal-error']);
      expect(issue(answer).expression[0]).toMatch(/generalPractitioner|\.name$/);
    });
  }
  it('OHIE-CR-07 · with these two as lists: kept in full, and found by every query of the page', async () => {
    const message = JSON.parse(
      Buffer.from(fixture('07-10'))
        .toString('utf8')
        .replace(/^\ufeff/, ''),
    );
    for (const { resource } of message.entry[1].resource.entry)
      for (const name of ['generalPractitioner', resource.resourceType === 'RelatedPerson' ? 'name' : ''])
        if (resource[name] !== undefined && !Array.isArray(resource[name])) resource[name] = [resource[name]];
    expect((await post(harness, JSON.stringify(message))).status).toBe(201);
    const flynn = only(await by(harness, TEST, 'FHR-070'));
    expect(flynn).toMatchObject({
      name: [{ family: 'Profile', given: ['Flynn', 'Full'], prefix: ['Dr'], suffix: ['III'] }, { family: 'Profile' }],
      gender: 'male',
      birthDate: '1982-03-02',
      multipleBirthBoolean: true,
      generalPractitioner: [{ identifier: { value: 'FHR-074' } }],
      managingOrganization: { identifier: { value: 'FHR-073' } },
    });
    expect([
      flynn.telecom.length,
      flynn.contact.length,
      flynn.communication.length,
      flynn.address[0].postalCode,
    ]).toEqual([3, 2, 2, 'L0R2A0']);
    const full = await by(
      harness,
      TEST,
      'FHR-070',
      '&_include=Organization%3AmanagingOrganization&_revinclude=RelatedPerson%3Apatient',
    );
    expect(only(full).id).toBe(flynn.id);
    for (const query of [
      'family=Profile&given=Flynn',
      'family=Profile&given%3Aexact=Flynn',
      'family=Profile&given=Flynn&birthdate=ap1982',
      'family=Profile&gender=male',
      'birthdate=1982-03-02&gender=male',
    ])
      expect(only(await find(harness, query)).id, query).toBe(flynn.id);
    const approximate = await find(harness, 'birthdate=ap1982');
    expect(approximate.json.entry.map(({ resource }: { resource: { id: string } }) => resource.id)).toContain(flynn.id);
    const nobody = await find(harness, 'given=Profile&gender=other');
    expect([nobody.status, nobody.json.total, nobody.json.entry]).toEqual([200, 0, undefined]);
    const restricted = await find(
      harness,
      `identifier=${encodeURIComponent(`${TEST}|FHR-070`)}&identifier=${encodeURIComponent(`${TEST}|`)}`,
    );
    expect(identifiersIn(only(restricted))).toEqual([`${TEST}|FHR-070`]);
  });
  for (const [what, bodies, client, system, kept, gone] of [
    ['page', () => examples('08').slice(0, 3), () => harness, TEST, 'FHR-080', 'FHR-081'],
    ['messages', () => [fixture('08-10'), fixture('08-20'), fixture('08-30')], () => a, TEST_A, 'FHRA-080', 'FHRA-081'],
  ] as const) {
    it(`OHIE-CR-08 · merge: the survivor answers for the merged identifier, PIXm too (${what})`, async () => {
      const sender = client();
      const [first = '', second = '', merge = ''] = bodies();
      const nid = what === 'page' ? NID : 'http://ohie.org/test/nid-fhir';
      expect((await post(sender, first)).status).toBe(201);
      expect(targets(await pix(sender, `${system}|${kept}`))).toEqual(
        expect.arrayContaining([`${nid}|NID080`, `${system}|${kept}`]),
      );
      const other = await post(sender, second);
      expect(other.status).toBe(201);
      const { id } = other.json.entry[2].resource;
      const merged = await post(sender, merge);
      expect([merged.status, code(merged)]).toEqual([200, 'ok']);
      const survivor = only(await by(sender, system, gone));
      expect(identifiersIn(survivor)).toContain(`${system}|${kept}`);
      expect(survivor.link.map(({ type }: { type: string }) => type)).toContain('replaces');
      expect((await sender.get(`/fhir/Patient/${id}`)).json).toMatchObject({ active: false });
      expect((await find(sender, `_id=${id}`)).json.entry?.[0]?.resource.active ?? false).toBe(false);
      const crossed = await pix(sender, `${system}|${gone}`, nid);
      expect([targets(crossed), targetIds(crossed)]).toEqual([[`${nid}|NID080`], [`Patient/${survivor.id}`]]);
    });
  }
  it('OHIE-CR-09 · a merge into another sender’s record is refused for want of authority', async () => {
    const [first = '', second = '', merge = ''] = examples('09');
    expect((await post(a, first)).status).toBe(201);
    expect((await post(b, second)).status).toBe(201);
    const refused = await post(b, merge);
    expect([refused.status, code(refused), issue(refused).code]).toEqual([403, 'fatal-error', 'forbidden']);
  });
});
