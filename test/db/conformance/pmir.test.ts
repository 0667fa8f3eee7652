import type { Bundle } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { validateResource } from '../../../src/fhir/index.ts';
import { asXml, type FhirAnswer, type FhirClient, fhirFixture } from '../../support/fhir-client.ts';
import { person, type RegistryFixture, registryFixture } from '../../support/registry.ts';

let f: RegistryFixture;
let a: FhirClient;
let b: FhirClient;
const A = 'urn:pmir:a';
const B = 'urn:pmir:b';

beforeAll(async () => {
  f = await registryFixture();
  const fhir = fhirFixture(f);
  a = fhir.as(await f.node('hospital a', A));
  b = fhir.as(await f.node('hospital b', B));
});
afterAll(() => f.close());

interface Entry {
  readonly method?: string;
  readonly url?: string;
  readonly resource?: object;
  readonly fullUrl?: string;
}

function message(entries: readonly Entry[], header: object = {}): Bundle {
  const patient = ({ resource, url }: Entry): string =>
    url ?? `${(resource as { resourceType?: string })?.resourceType}/x`;
  return {
    resourceType: 'Bundle',
    type: 'message',
    entry: [
      {
        fullUrl: 'urn:uuid:0198f3a0-0000-7000-8000-000000000001',
        resource: {
          resourceType: 'MessageHeader',
          id: 'request-1',
          eventUri: 'urn:ihe:iti:pmir:2019:patient-feed',
          source: { endpoint: 'https://hospital.example/fhir' },
          destination: [{ endpoint: 'https://registry.example/fhir' }],
          ...header,
        },
      },
      {
        fullUrl: 'urn:uuid:0198f3a0-0000-7000-8000-000000000002',
        resource: {
          resourceType: 'Bundle',
          type: 'history',
          entry: entries.map((entry) => ({
            ...(entry.fullUrl ? { fullUrl: entry.fullUrl } : {}),
            ...(entry.resource ? { resource: entry.resource } : {}),
            request: { method: entry.method ?? 'POST', url: patient(entry) },
            response: { status: '200' },
          })),
        },
      },
    ],
  } as Bundle;
}

let number = 0;
function somebody(system: string, key: string, more: object = {}) {
  number += 1;
  const letters = [...String(number).padStart(3, '0')].map((digit) => 'bcdfghjklm'[Number(digit)]).join('a');
  return {
    ...person({
      given: `P${letters}`,
      family: `M${letters}ir`,
      birthDate: `19${10 + number}-01-02`,
      key: [system, key],
    }),
    ...more,
  };
}
const feed = (client: FhirClient, entries: readonly Entry[], url = '/fhir/$process-message') =>
  client.post(url, message(entries));
const code = (answer: FhirAnswer): string => answer.json.entry[0].resource.response.code;
const outcome = (answer: FhirAnswer) => answer.json.entry[1].resource.issue[0];
const found = async (client: FhirClient, system: string, key: string) =>
  (await client.get(`/fhir/Patient?identifier=${system}|${key}`)).json;
const replaced = (system: string, key: string, by: object, more: object = {}) =>
  somebody(system, key, { active: false, link: [{ other: by, type: 'replaced-by' }], ...more });

describe('PMIR', () => {
  it('ITI-93 · a new patient; the answer is a valid response message', async () => {
    const answer = await feed(a, [{ resource: somebody(A, '1') }]);
    expect([answer.status, code(answer)]).toEqual([200, 'ok']);
    expect(validateResource(answer.json)).toEqual([]);
    const header = answer.json.entry[0].resource;
    expect(header.eventUri).toBe('urn:ihe:iti:pmir:2019:patient-feed-response');
    expect(header.response.identifier).toBe('request-1');
    expect(header.destination[0].endpoint).toBe('https://hospital.example/fhir');
    expect(answer.json.entry[1].resource.resourceType).toBe('OperationOutcome');
    expect(answer.json.entry[2].resource.identifier[0].value).toBe('1');
    expect((await found(a, A, '1')).total).toBe(1);
  });
  it('ITI-93 · in XML, both ways', async () => {
    const answer = await a.post(
      '/fhir/$process-message?_format=xml',
      asXml(message([{ resource: somebody(A, 'xml') }])),
      {
        'content-type': 'application/fhir+xml',
      },
    );
    expect(answer.status).toBe(200);
    expect(answer.text).toMatch(/<code value="ok"\/>/);
  });
  it('ITI-93 · at the base, at /Bundle (201 for what is new), and as Parameters of $process-message', async () => {
    expect((await feed(a, [{ resource: somebody(A, '2') }], '/fhir')).status).toBe(200);
    expect((await feed(a, [{ resource: somebody(A, '3') }], '/fhir/Bundle')).status).toBe(201);
    const content = message([{ resource: somebody(A, '4') }]);
    const parameters = { resourceType: 'Parameters', parameter: [{ name: 'content', resource: content }] };
    expect((await a.post('/fhir/$process-message', parameters)).status).toBe(200);
  });
  it('ITI-93 · the same message again changes nothing, a revised one revises', async () => {
    const first = somebody(A, '5');
    await feed(a, [{ resource: first }]);
    const again = await feed(a, [{ resource: first }]);
    expect([again.status, again.json.entry[2].resource.meta.versionId]).toEqual([200, '1']);
    const revised = await feed(a, [{ method: 'PUT', resource: { ...first, gender: 'female' } }]);
    expect(revised.json.entry[2].resource.meta.versionId).toBe('2');
  });
  it('ITI-93 · DELETE by id and by identifier', async () => {
    const made = await feed(a, [{ resource: somebody(A, '6') }, { resource: somebody(A, '7') }]);
    const { id } = made.json.entry[2].resource;
    expect(
      (
        await feed(a, [
          { method: 'DELETE', url: `Patient/${id}` },
          { method: 'DELETE', url: `Patient?identifier=${A}|7` },
        ])
      ).status,
    ).toBe(200);
    expect([(await found(a, A, '6')).total, (await found(a, A, '7')).total]).toEqual([0, 0]);
  });
  it('ITI-93 · several changes stand or fall together; the answer names the entry', async () => {
    const answer = await feed(a, [{ resource: somebody(A, '8') }, { resource: somebody(B, '9') }]);
    expect([answer.status, code(answer)]).toEqual([403, 'fatal-error']);
    expect(outcome(answer).expression[0]).toMatch(/^Bundle\.entry\[1\]\.resource\.entry\[1\]/);
    expect((await found(a, A, '8')).total).toBe(0);
  });
  it('ITI-93 · merge: the survivor answers for both', async () => {
    await feed(a, [{ resource: somebody(A, 'm1') }, { resource: somebody(A, 'm2') }]);
    const merged = await feed(a, [
      { method: 'PUT', resource: replaced(A, 'm2', { identifier: { system: A, value: 'm1' } }) },
    ]);
    expect([merged.status, code(merged)]).toEqual([200, 'ok']);
    const now = await found(a, A, 'm2');
    expect([now.total, now.entry[0].resource.active]).toEqual([1, true]);
    expect(now.entry[0].resource.identifier.map(({ value }: { value: string }) => value).sort()).toEqual(['m1', 'm2']);
  });
  it('ITI-93 · a survivor that is new in the same message, by identifier and by fullUrl, and a record told twice', async () => {
    await feed(a, [{ resource: somebody(A, 's-old') }]);
    const survivor = { method: 'PUT', resource: somebody(A, 's-new'), fullUrl: 'urn:uuid:new' };
    const byIdentifier = {
      method: 'PUT',
      resource: replaced(A, 's-old', { identifier: { system: A, value: 's-new' } }),
    };
    const merged = await feed(a, [survivor, byIdentifier]);
    expect([merged.status, code(merged)]).toEqual([200, 'ok']);
    expect((await found(a, A, 's-old')).entry[0].resource.id).toBe((await found(a, A, 's-new')).entry[0].resource.id);
    const twice = somebody(A, 's-2');
    const chain = await feed(a, [
      { resource: twice },
      { method: 'PUT', resource: { ...twice, gender: 'female' } },
      { method: 'POST', resource: somebody(A, 's-3'), fullUrl: 'urn:uuid:third' },
      { method: 'PUT', resource: replaced(A, 's-2', { reference: 'urn:uuid:third' }) },
    ]);
    expect([chain.status, code(chain)]).toEqual([200, 'ok']);
    expect((await found(a, A, 's-2')).entry[0].resource.id).toBe((await found(a, A, 's-3')).entry[0].resource.id);
  });
  it('ITI-93 · merges and changes of one message stand or fall together: links, records and cross-references too', async () => {
    await feed(a, [{ resource: somebody(A, 'h1') }, { resource: somebody(A, 'h2') }, { resource: somebody(A, 'h3') }]);
    const ids = async () => {
      const all = await Promise.all(['h1', 'h2', 'h3', 'h4'].map((key) => found(a, A, key)));
      return all.map(({ entry }) => [entry?.[0].resource.id, entry?.[0].resource.meta.versionId]);
    };
    const before = await ids();
    const answer = await feed(a, [
      { resource: somebody(A, 'h4') },
      { method: 'PUT', resource: replaced(A, 'h2', { identifier: { system: A, value: 'h1' } }) },
      { method: 'PUT', resource: somebody(A, 'h1', { gender: 'male' }) },
      // h2 is no more: the last merge cannot be.
      { method: 'PUT', resource: replaced(A, 'h3', { identifier: { system: A, value: 'h2' } }) },
    ]);
    expect([answer.status, code(answer), outcome(answer).expression[0]]).toEqual([
      409,
      'fatal-error',
      'Bundle.entry[1].resource.entry[3].resource.link',
    ]);
    expect(await ids()).toEqual(before);
    expect(before[3]).toEqual([undefined, undefined]);
  });
  it('ITI-93 · a loop of three within one message: 409, and nothing of it is done', async () => {
    await feed(a, [{ resource: somebody(A, 'l1') }, { resource: somebody(A, 'l2') }, { resource: somebody(A, 'l3') }]);
    const by = (key: string, next: string) => ({
      method: 'PUT',
      resource: replaced(A, key, { identifier: { system: A, value: next } }),
    });
    const answer = await feed(a, [by('l1', 'l2'), by('l2', 'l3'), by('l3', 'l1')]);
    expect([answer.status, code(answer)]).toEqual([409, 'fatal-error']);
    const all = await Promise.all(['l1', 'l2', 'l3'].map((key) => found(a, A, key)));
    expect(new Set(all.map(({ entry }) => entry[0].resource.id)).size).toBe(3);
  });
  it('ITI-93 · unmerge: 405 and fatal-error', async () => {
    const answer = await feed(a, [{ method: 'PUT', resource: somebody(A, 'm2', { active: true }) }]);
    expect([answer.status, code(answer)]).toEqual([405, 'fatal-error']);
  });
  it('ITI-93 · merge loops: back again 409, itself 422', async () => {
    const back = await feed(a, [
      { method: 'PUT', resource: replaced(A, 'm1', { identifier: { system: A, value: 'm2' } }) },
    ]);
    expect([back.status, outcome(back).code]).toEqual([409, 'business-rule']);
    const self = await feed(a, [
      { method: 'PUT', resource: replaced(A, 'm1', { identifier: { system: A, value: 'm1' } }) },
    ]);
    expect(self.status).toBe(422);
  });
  it('ITI-93 · merge across domains that the sender does not own: 403', async () => {
    await feed(b, [{ resource: somebody(B, 'x') }]);
    const answer = await feed(b, [
      { method: 'PUT', resource: replaced(B, 'x', { identifier: { system: A, value: 'm1' } }) },
    ]);
    expect([answer.status, code(answer)]).toEqual([403, 'fatal-error']);
    const foreign = await feed(b, [
      { method: 'PUT', resource: replaced(A, 'm1', { identifier: { system: B, value: 'x' } }) },
    ]);
    expect(foreign.status).toBe(403);
  });
  const malformed: [string, () => object, number][] = [
    [
      'an identifier without its system: 422',
      () => message([{ resource: somebody(A, 'q', { identifier: [{ value: 'q' }] }) }]),
      422,
    ],
    ['a patient that is not valid: 400', () => message([{ resource: somebody(A, 'q', { gender: 'M' }) }]), 400],
    ['another event: 400', () => message([{ resource: somebody(A, 'q') }], { eventUri: 'urn:other' }), 400],
    ['no destination: 400', () => message([{ resource: somebody(A, 'q') }], { destination: undefined }), 400],
    ['no entries: 400', () => message([]), 400],
    [
      'three entries: 400',
      () => {
        const m = message([{ resource: somebody(A, 'q') }]);
        return { ...m, entry: [...(m.entry ?? []), m.entry?.[1]] };
      },
      400,
    ],
    [
      'a reference to what is not here: 422',
      () =>
        message([
          { resource: somebody(A, 'q', { managingOrganization: { reference: 'Organization/3930293029302923' } }) },
        ]),
      422,
    ],
    [
      'a relative of nobody in the message: 422',
      () =>
        message([
          { resource: somebody(A, 'q') },
          { resource: { resourceType: 'RelatedPerson', patient: { reference: 'Patient/nobody' } } },
        ]),
      422,
    ],
  ];
  for (const [words, body, status] of malformed) {
    it(`ITI-93 · ${words}, fatal-error with an OperationOutcome`, async () => {
      const answer = await a.post('/fhir/$process-message', body());
      expect(answer.status).toBe(status);
      expect(code(answer)).toBe('fatal-error');
      expect(answer.json.entry[1].resource.resourceType).toBe('OperationOutcome');
      expect((await found(a, A, 'q')).total).toBe(0);
    });
  }
  it('ITI-93 · no MessageHeader to answer to: 400 OperationOutcome', async () => {
    const answer = await a.post('/fhir/$process-message', { resourceType: 'Bundle', type: 'message', entry: [] });
    expect([answer.status, answer.json.resourceType]).toEqual([400, 'OperationOutcome']);
    expect((await a.post('/fhir/$process-message', { resourceType: 'Bundle', type: 'batch' })).status).toBe(400);
  });
  it('ITI-93 · relatives are kept, revised in place, read, and come with _revinclude', async () => {
    const child = { ...somebody(A, 'child'), id: 'c' };
    const mother = {
      resourceType: 'RelatedPerson',
      id: 'r',
      patient: { reference: 'Patient/c' },
      name: [{ use: 'maiden', family: 'Abels' }],
      relationship: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode', code: 'MTH' }] }],
    };
    const entries = [
      { resource: child, url: 'Patient/c' },
      { resource: mother, url: 'RelatedPerson/r' },
    ];
    await feed(a, entries);
    expect((await feed(a, entries)).status).toBe(200);
    const { json } = await a.get(`/fhir/Patient?identifier=${A}|child&_revinclude=RelatedPerson:patient`);
    expect(json.link[0].url).toContain('_revinclude');
    expect(
      json.entry.map(
        ({ resource, search }: Bundle['entry'] & { resource: { resourceType: string }; search: { mode: string } }) => [
          resource.resourceType,
          search.mode,
        ],
      ),
    ).toEqual([
      ['Patient', 'match'],
      ['RelatedPerson', 'include'],
    ]);
    const kept = json.entry[1].resource;
    expect(kept.meta.versionId).toBe('2');
    expect((await a.get(`/fhir/RelatedPerson/${kept.id}`)).json.name[0].family).toBe('Abels');
    expect((await a.get(`/fhir/RelatedPerson?patient=${json.entry[0].resource.id}`)).json.total).toBe(1);
    expect((await a.get('/fhir/Patient?mothersMaidenName=Abels')).json.total).toBe(1);
  });
  it('ITI-93 · organizations told beside a patient become references with identifier and name', async () => {
    const organization = {
      resourceType: 'Organization',
      id: 'o',
      identifier: [{ system: 'urn:orgs', value: '73' }],
      name: 'University Centre',
    };
    await feed(a, [
      { resource: organization, url: 'Organization/o' },
      { resource: somebody(A, 'org', { managingOrganization: { reference: 'Organization/o' } }) },
    ]);
    expect((await found(a, A, 'org')).entry[0].resource.managingOrganization).toEqual({
      type: 'Organization',
      identifier: { system: 'urn:orgs', value: '73' },
      display: 'University Centre',
    });
  });
  it('metadata · a CapabilityStatement per actor, valid R4, with what the routes do', async () => {
    for (const actor of ['pdqm-supplier', 'pixm-manager', 'pmir-registry']) {
      const { status, json } = await a.get(`/fhir/CapabilityStatement/${actor}`);
      expect([status, validateResource(json)]).toEqual([200, []]);
    }
    const pixm = (await a.get('/fhir/CapabilityStatement/pixm-manager')).json.rest[0].resource[0];
    expect((await a.get('/fhir/CapabilityStatement/pmir-registry')).json.instantiates).toEqual([
      'https://profiles.ihe.net/ITI/PMIR/CapabilityStatement/IHE.PMIR.PatientIdentityRegistry',
    ]);
    expect((await a.get('/fhir/metadata')).json.instantiates).toHaveLength(4);
    expect(pixm.operation.map(({ name }: { name: string }) => name)).toEqual(['ihe-pix', 'merge']);
    expect(pixm.searchParam).toBeUndefined();
    expect((await a.get('/fhir/CapabilityStatement/other')).status).toBe(404);
    expect(validateResource((await a.get('/fhir/metadata')).json)).toEqual([]);
  });
});
