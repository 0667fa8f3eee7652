import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Actor } from '../../../src/kernel/principal.ts';
import { validateResource } from '../../../src/fhir/index.ts';
import { asXml, type FhirAnswer, type FhirClient, fhirFixture } from '../../support/fhir-client.ts';
import { person, type RegistryFixture, registryFixture } from '../../support/registry.ts';

let f: RegistryFixture;
let clinicActor: Actor;
let clinic: FhirClient;
let hospital: FhirClient;
const XML = { accept: 'application/fhir+xml' };
const AMINA = {
  given: 'Amina',
  family: 'Okello',
  birthDate: '1984-03-12',
  gender: 'female',
  phone: '+256700123456',
} as const;
const system = (letter: string): string => `urn:pix:${letter}`;
const pix = (source: string, ...targets: string[]): string =>
  `/fhir/Patient/$ihe-pix?sourceIdentifier=${encodeURIComponent(source)}${targets.map((one) => `&targetSystem=${encodeURIComponent(one)}`).join('')}`;
const identifiers = (answer: FhirAnswer): string[] =>
  (answer.json.parameter ?? [])
    .filter(({ name }: { name: string }) => name === 'targetIdentifier')
    .map(
      (one: { valueIdentifier: { system: string; value: string } }) =>
        `${one.valueIdentifier.system}|${one.valueIdentifier.value}`,
    );
const ids = (answer: FhirAnswer): string[] =>
  (answer.json.parameter ?? [])
    .filter(({ name }: { name: string }) => name === 'targetId')
    .map((one: { valueReference: { reference: string } }) => one.valueReference.reference);
const idOf = (answer: FhirAnswer): string => /Patient\/([^/]+)/.exec(answer.headers['location'] ?? '')?.[1] ?? '';
let golden: string;
let source: string;

beforeAll(async () => {
  f = await registryFixture();
  const fhir = fhirFixture(f);
  clinicActor = await f.node('clinic', system('a'));
  clinic = fhir.as(clinicActor);
  hospital = fhir.as(await f.node('hospital', system('b')));
  const made = await clinic.post('/fhir/Patient', person({ ...AMINA, key: [system('a'), '1'] }));
  source = idOf(made);
  await hospital.post(
    '/fhir/Patient',
    person({
      ...AMINA,
      key: [system('b'), '77'],
      more: {
        identifier: [
          { system: system('b'), value: '77' },
          { system: 'urn:pix:insurance', value: 'i-9' },
        ],
      },
    }),
  );
  golden = (await clinic.get(`/fhir/Patient?identifier=${system('a')}|1`)).json.entry[0].resource.id;
});
afterAll(() => f.close());

describe('PIXm', () => {
  it('ITI-83 · the other identifiers of the person, without the one asked with', async () => {
    const answer = await clinic.get(pix(`${system('a')}|1`));
    expect(answer.status).toBe(200);
    expect(validateResource(answer.json)).toEqual([]);
    expect(identifiers(answer).sort()).toEqual([`${system('b')}|77`, 'urn:pix:insurance|i-9']);
    expect(ids(answer)).toEqual([`Patient/${golden}`]);
  });
  it('ITI-83 · in XML', async () => {
    const answer = await clinic.get(pix(`${system('a')}|1`), XML);
    expect(answer.headers['content-type']).toContain('xml');
    expect(answer.text).toMatch(/<Parameters[^]*<value value="77"\/>/);
    expect((await clinic.get(`${pix(`${system('a')}|1`)}&_format=xml`)).headers['content-type']).toContain('xml');
  });
  it('ITI-83 · one targetSystem, and several', async () => {
    expect(identifiers(await clinic.get(pix(`${system('a')}|1`, system('b'))))).toEqual([`${system('b')}|77`]);
    const both = await clinic.get(pix(`${system('a')}|1`, system('b'), 'urn:pix:insurance'));
    expect(identifiers(both)).toHaveLength(2);
  });
  it('ITI-83 · a known targetSystem without an identifier there: 200 and nothing', async () => {
    const answer = await clinic.get(pix(`${system('a')}|1`, system('a')));
    expect([answer.status, answer.json]).toEqual([200, { resourceType: 'Parameters' }]);
  });
  it('ITI-83 · an identifier of a domain that nobody owns is found too', async () => {
    expect(identifiers(await clinic.get(pix('urn:pix:insurance|i-9'))).sort()).toEqual([
      `${system('a')}|1`,
      `${system('b')}|77`,
    ]);
  });
  it('ITI-83 · a logical id as source, of a source and of a golden record', async () => {
    for (const id of [source, golden])
      expect(identifiers(await clinic.get(pix(`https://registry.test:8444/fhir|Patient/${id}`)))).toHaveLength(3);
  });
  it('ITI-83 · POST with Parameters and as a form', async () => {
    const asked = {
      resourceType: 'Parameters',
      parameter: [
        { name: 'sourceIdentifier', valueIdentifier: { system: system('a'), value: '1' } },
        { name: 'targetSystem', valueUri: system('b') },
      ],
    };
    expect(identifiers(await clinic.post('/fhir/Patient/$ihe-pix', asked))).toEqual([`${system('b')}|77`]);
    const xml = await clinic.post('/fhir/Patient/$ihe-pix', asXml(asked), { 'content-type': 'application/fhir+xml' });
    expect(identifiers(xml)).toEqual([`${system('b')}|77`]);
    const form = await clinic.post('/fhir/Patient/$ihe-pix', `sourceIdentifier=${system('a')}%7C1`, {
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect(identifiers(form)).toHaveLength(2);
  });
  const errors: [words: string, url: () => string, status: number, code: string, text?: string][] = [
    [
      'identifier not known: 404 not-found',
      () => pix(`${system('a')}|nobody`),
      404,
      'not-found',
      'sourceIdentifier Patient Identifier not found',
    ],
    [
      'assigning authority not known: 400 code-invalid',
      () => pix('urn:pix:none|1'),
      400,
      'code-invalid',
      'sourceIdentifier Assigning Authority not found',
    ],
    [
      'targetSystem not known: 403 code-invalid',
      () => pix(`${system('a')}|1`, 'urn:pix:none'),
      403,
      'code-invalid',
      'targetSystem not found',
    ],
    ['sourceIdentifier missing: 400', () => '/fhir/Patient/$ihe-pix', 400, 'required'],
    [
      'sourceIdentifier twice: 400',
      () => `${pix(`${system('a')}|1`)}&sourceIdentifier=${system('b')}|77`,
      400,
      'required',
    ],
    ['sourceIdentifier without its authority: 400', () => pix('1'), 400, 'value'],
    ['sourceIdentifier without a value: 400', () => pix(`${system('a')}|`), 400, 'value'],
    ['targetSystem empty: 400', () => pix(`${system('a')}|1`, ''), 400, 'value'],
    ['unsupported format: 406', () => `${pix(`${system('a')}|1`)}&_format=text/csv`, 406, 'not-supported'],
  ];
  for (const [words, url, status, code, text] of errors) {
    it(`ITI-83 · ${words}, JSON and XML`, async () => {
      const answer = await clinic.get(url());
      expect([answer.status, answer.json.issue[0].code]).toEqual([status, code]);
      const xml = await clinic.get(url(), { accept: 'application/fhir+xml' });
      expect(xml.status).toBe(status);
      if (status !== 406) {
        expect(xml.text).toContain('<OperationOutcome');
        expect(xml.text).toContain(`<code value="${code}"/>`);
      }
      if (text) expect(answer.json.issue[0].details.text).toBe(text);
    });
  }
  it('ITI-83 · an unknown parameter is ignored, and refused under Prefer: handling=strict', async () => {
    const url = `${pix(`${system('a')}|1`)}&colour=red`;
    expect((await clinic.get(url)).status).toBe(200);
    expect((await clinic.get(url, { prefer: 'handling=strict' })).status).toBe(400);
  });
  it('ITI-83 · one audit event with the question and the person', async () => {
    const recorded = fhirFixture(f);
    await recorded.as(clinicActor).get(pix(`${system('a')}|1`));
    expect(recorded.recorded).toMatchObject([{ event: 'client.pix', action: 'E', patients: [`Patient/${golden}`] }]);
    expect(recorded.recorded[0]?.query).toContain('sourceIdentifier=');
  });
});

const PREVIEW = { name: 'preview', valueBoolean: true };

describe('PIXm feed', () => {
  const put = (client: FhirClient, key: string, more: object = {}, headers: Record<string, string> = {}) =>
    client.put(
      `/fhir/Patient?identifier=${system('a')}|${key}`,
      {
        ...person({ given: 'Feed', family: `Letter ${key}`, birthDate: '1970-01-01', key: [system('a'), key] }),
        ...more,
      },
      headers,
    );
  const replaced = (key: string, other: object, more: object = {}) =>
    put(clinic, key, { active: false, link: [{ other, type: 'replaced-by' }], ...more });
  const at = (key: string) => ({ identifier: { system: system('a'), value: key } });

  it('ITI-104 · conditional PUT adds (201) and revises (200)', async () => {
    expect((await put(clinic, 'f1')).status).toBe(201);
    const revised = await put(clinic, 'f1', { gender: 'female' });
    expect([revised.status, revised.json.meta.versionId]).toEqual([200, '2']);
  });
  it('ITI-104 · conditional PUT in XML', async () => {
    const body = asXml(person({ given: 'Feed', family: 'Xml', key: [system('a'), 'fx'] }));
    const made = await clinic.put(`/fhir/Patient?identifier=${system('a')}|fx&_format=xml`, body, {
      'content-type': 'application/fhir+xml',
    });
    expect([made.status, made.text.includes('<Patient ')]).toEqual([201, true]);
  });
  it('ITI-104 · a record of a domain that the sender does not own: 403', async () => {
    expect((await put(hospital, 'f2')).status).toBe(403);
  });
  it('ITI-104 · an identifier without its system, or none at all: 422', async () => {
    expect((await put(clinic, 'f3', { identifier: [{ value: 'f3' }] })).status).toBe(422);
    expect((await put(clinic, 'f3', { identifier: undefined })).status).toBe(422);
  });
  it('ITI-104 · a record without a name: 422; one that is said to be unknown: 201', async () => {
    const none = await put(clinic, 'f4', { name: undefined });
    expect([none.status, none.json.issue[0].code, none.json.issue[0].expression]).toEqual([
      422,
      'required',
      ['Patient.name'],
    ]);
    const url = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason';
    const absent = [{ extension: [{ url, valueCode: 'unknown' }] }];
    expect((await put(clinic, 'f4', { name: absent })).status).toBe(201);
  });
  it('ITI-104 · a query that is no identifier: 412', async () => {
    expect((await clinic.put('/fhir/Patient?family=x', person({ key: [system('a'), 'z'] }))).status).toBe(412);
  });
  it('ITI-104 · merge: inactive with replaced-by, cross-references lead to the survivor', async () => {
    await put(clinic, 'm1', {
      identifier: [
        { system: system('a'), value: 'm1' },
        { system: 'urn:pix:insurance', value: 'm-ins' },
      ],
    });
    const old = await put(clinic, 'm2', {
      name: [{ family: 'Quitedifferent', given: ['Xavier'] }],
      birthDate: '1931-11-30',
    });
    const merged = await replaced('m2', at('m1'));
    expect(merged.status).toBe(200);
    expect(merged.json).toMatchObject({ id: idOf(old), active: false, link: [{ type: 'replaced-by' }] });
    expect(identifiers(await clinic.get(pix(`${system('a')}|m2`, 'urn:pix:insurance')))).toEqual([
      'urn:pix:insurance|m-ins',
    ]);
    const found = (await clinic.get(`/fhir/Patient?identifier=${system('a')}|m2`)).json;
    expect(found.total).toBe(1);
    expect(found.entry[0].resource.identifier).toContainEqual({ system: system('a'), value: 'm1' });
    expect(found.entry[0].resource.link.map(({ type }: { type: string }) => type).sort()).toEqual([
      'replaces',
      'seealso',
    ]);
    expect(JSON.stringify(found.entry[0].resource.name)).not.toContain('Xavier');
    expect((await clinic.get(`/fhir/Patient/${idOf(old)}`)).json).toMatchObject({ active: false });
  });
  it('ITI-104 · merge said twice changes nothing', async () => {
    const again = await replaced('m2', at('m1'));
    expect([again.status, again.json.meta.versionId]).toEqual([200, '2']);
  });
  it('ITI-104 · merge naming the survivor by its id, and by the golden id', async () => {
    const survivor = await put(clinic, 'm3');
    await put(clinic, 'm4', { birthDate: '1950-05-05', name: [{ family: 'Other', given: ['One'] }] });
    await put(clinic, 'm5', { birthDate: '1951-05-05', name: [{ family: 'Third', given: ['Two'] }] });
    expect((await replaced('m4', { reference: `Patient/${idOf(survivor)}` })).status).toBe(200);
    expect((await replaced('m5', { reference: String(survivor.headers['locationcruid']) })).status).toBe(200);
  });
  it('ITI-104 · merge loops are refused: itself 422, back again 409, a replaced survivor 409', async () => {
    expect((await replaced('m1', at('m1'))).status).toBe(422);
    expect((await replaced('m1', at('m2'))).json.issue[0].diagnostics).toMatch(/^merge-loop/);
    expect((await replaced('f1', at('m2'))).json.issue[0].diagnostics).toMatch(/^successor-replaced/);
  });
  it('ITI-104 · unmerge by an update: 405', async () => {
    expect((await put(clinic, 'm2', { active: true })).status).toBe(405);
  });
  it('ITI-104 · merge into a record of another sender: 403; into an unknown one: 422', async () => {
    expect((await replaced('f1', { identifier: { system: system('b'), value: '77' } })).status).toBe(403);
    expect((await replaced('f1', at('nowhere'))).status).toBe(422);
  });
  it('ITI-104 · merge that is still active, or with two successors: 422', async () => {
    expect((await replaced('f1', at('m1'), { active: true })).status).toBe(422);
    const two = await put(clinic, 'f1', {
      active: false,
      link: [
        { other: at('m1'), type: 'replaced-by' },
        { other: at('m3'), type: 'replaced-by' },
      ],
    });
    expect(two.status).toBe(422);
  });
  it('ITI-104 · merge of a record that was never sent: 404', async () => {
    expect((await replaced('never', at('m1'))).status).toBe(404);
  });
  it('ITI-104 · conditional DELETE: the identifier never appears again', async () => {
    await put(clinic, 'd1');
    expect((await clinic.delete(`/fhir/Patient?identifier=${system('a')}|d1`)).status).toBe(204);
    expect((await clinic.get(`/fhir/Patient?identifier=${system('a')}|d1`)).json.total).toBe(0);
    expect((await clinic.get(pix(`${system('a')}|d1`))).status).toBe(404);
  });
  it('ITI-104 · the capability statement declares conditionalUpdate', async () => {
    const { json } = await clinic.get('/fhir/metadata');
    expect(json.rest[0].resource[0]).toMatchObject({ conditionalUpdate: true });
  });
  it('$merge · source into target by identifiers; the answer has input, outcome and result', async () => {
    await put(clinic, 'o1');
    const target = await put(clinic, 'o2', { name: [{ family: 'Target', given: ['Tess'] }], birthDate: '1944-04-04' });
    const answer = await clinic.post('/fhir/Patient/$merge', {
      resourceType: 'Parameters',
      parameter: [
        { name: 'source-patient-identifier', valueIdentifier: { system: system('a'), value: 'o1' } },
        { name: 'target-patient', valueReference: { reference: `Patient/${idOf(target)}` } },
      ],
    });
    expect(answer.status).toBe(200);
    expect(answer.json.parameter.map(({ name }: { name: string }) => name)).toEqual(['input', 'outcome', 'result']);
    expect(answer.json.parameter[2].resource.id).toBe(idOf(target));
    expect(ids(await clinic.get(pix(`${system('a')}|o1`)))).toEqual(ids(await clinic.get(pix(`${system('a')}|o2`))));
  });
  const merge = (...parameter: object[]) =>
    clinic.post('/fhir/Patient/$merge', { resourceType: 'Parameters', parameter });
  const from = (key: string) => ({ name: 'source-patient-identifier', valueIdentifier: at(key).identifier });
  const into = (key: string) => ({ name: 'target-patient-identifier', valueIdentifier: at(key).identifier });
  const sent = (given: string) => ({ name: [{ family: `Merge ${given}`, given: [given] }], birthDate: '1933-03-03' });
  it('$merge · the source is replaced-by, the target replaces it and keeps its identifiers as old ones', async () => {
    const [source, target] = [await put(clinic, 'r1', sent('Rhea')), await put(clinic, 'r2', sent('Iris'))];
    const { json } = await merge(from('r1'), into('r2'));
    const result = json.parameter[2].resource;
    expect(result.identifier).toContainEqual({ use: 'old', system: system('a'), value: 'r1' });
    expect(result.link).toEqual([{ other: { reference: `Patient/${idOf(source)}` }, type: 'replaces' }]);
    expect((await clinic.get(`/fhir/Patient/${idOf(source)}`)).json.link).toEqual([
      { other: { reference: `Patient/${idOf(target)}` }, type: 'replaced-by' },
    ]);
    const again = await merge(from('r1'), into('r2'));
    expect([again.status, again.json.parameter[2].resource.meta.versionId]).toEqual([200, result.meta.versionId]);
  });
  it('$merge · preview: the result as it would be, and nothing is changed', async () => {
    await put(clinic, 'v1', sent('Vera'));
    await put(clinic, 'v2', sent('Ulla'));
    const said = { resourceType: 'Patient', gender: 'female', ...sent('Ulla'), identifier: [at('v2').identifier] };
    const shown = await merge(from('v1'), into('v2'), { name: 'result-patient', resource: said }, PREVIEW);
    expect([shown.status, shown.json.parameter[2].resource.gender]).toEqual([200, 'female']);
    expect(shown.json.parameter[2].resource.link[0].type).toBe('replaces');
    expect(ids(await clinic.get(pix(`${system('a')}|v1`)))).not.toEqual(
      ids(await clinic.get(pix(`${system('a')}|v2`))),
    );
    const { json } = await clinic.get(`/fhir/Patient?identifier=${system('a')}|v2`);
    expect(json.entry[0].resource.gender).toBeUndefined();
    expect((await merge(from('v1'), into('nobody'), PREVIEW)).status).toBe(422);
  });
  it('$merge · a result that is refused refuses the merge too', async () => {
    await put(clinic, 'w1', sent('Wanda'));
    await put(clinic, 'w2', sent('Xenia'));
    const said = { resourceType: 'Patient', ...sent('Xenia'), identifier: [at('somebody').identifier] };
    const refused = await merge(from('w1'), into('w2'), { name: 'result-patient', resource: said });
    expect(refused.status).toBe(422);
    expect(ids(await clinic.get(pix(`${system('a')}|w1`)))).not.toEqual(
      ids(await clinic.get(pix(`${system('a')}|w2`))),
    );
  });
  it('$merge · several identifiers must name one record', async () => {
    expect((await merge(from('w1'), from('w2'), into('r2'))).json.issue[0].code).toBe('multiple-matches');
    expect((await merge(from('w1'), from('w1'), into('w2'))).status).toBe(200);
  });
  it('$merge · loops are refused: itself 422, back again 409', async () => {
    for (const key of ['l1', 'l2', 'l3']) await put(clinic, key, sent(`Loop ${key}`));
    expect((await merge(from('l1'), into('l1'))).status).toBe(422);
    expect((await merge(from('l1'), into('l2'))).status).toBe(200);
    expect((await merge(from('l2'), into('l3'))).status).toBe(200);
    expect((await merge(from('l3'), into('l1'))).status).toBe(409);
    expect((await merge(from('l2'), into('l1'))).status).toBe(409);
  });
  it('$merge · without a target, of foreign records, with unknown parameters: refused', async () => {
    const source = { name: 'source-patient-identifier', valueIdentifier: { system: system('a'), value: 'f1' } };
    expect((await merge(source)).status).toBe(400);
    expect((await merge(source, { name: 'colour', valueString: 'red' })).status).toBe(400);
    expect(
      (
        await merge(source, {
          name: 'target-patient-identifier',
          valueIdentifier: { system: system('b'), value: '77' },
        })
      ).status,
    ).toBe(403);
  });
});
