import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fhirFixture } from '../../../test/support/fhir-client.ts';
import { type RegistryFixture, registryFixture } from '../../../test/support/registry.ts';
import { statement } from '../../platform/db/index.ts';
import { importOpenCr, type OpenCrSummary } from './index.ts';
import { GOLDEN_CODE } from './patients.ts';

let f: RegistryFixture;
const folder = mkdtempSync(join(tmpdir(), 'careseal-opencr-'));
beforeAll(async () => {
  f = await registryFixture();
});
afterAll(async () => {
  await f.close();
  rmSync(folder, { recursive: true });
});

const ONE = '0f8fad5b-d9cb-469f-a165-70867728950e';
const TWO = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
const OLD = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const golden = (id: string, links: object[]) => ({
  resourceType: 'Patient',
  id,
  meta: { tag: [{ system: 'http://openclientregistry.org/fhir/tag', code: GOLDEN_CODE }] },
  link: links,
});
const link = (id: string, type: string) => ({ other: { reference: `Patient/${id}` }, type });
const source = (id: string, client: string, cruid: string, more: object = {}) => ({
  resourceType: 'Patient',
  id,
  meta: { tag: [{ system: 'http://openclientregistry.org/fhir/clientid', code: client }] },
  identifier: [
    { system: 'http://openclientregistry.org/fhir/sourceid', value: `Patient/${client}-${id}` },
    { system: 'urn:nid', value: `N-${id}` },
  ],
  name: [{ use: 'official', family: 'Mukasa', given: ['John'] }],
  gender: 'male',
  birthDate: '1985-02-03',
  link: [link(cruid, 'refer')],
  ...more,
});
/** OpenCR had linked s1 and s2, who look different, and kept s3 apart, who looks like s1. */
const EXPORT = [
  golden(ONE, [link('s1', 'seealso'), link('s2', 'seealso')]),
  golden(TWO, [link('s3', 'seealso')]),
  golden(OLD, [link(ONE, 'replaced-by')]),
  source('s1', 'openmrs', ONE),
  source('s2', 'dhis2', ONE, { name: [{ family: 'Completely', given: ['Otherwise'] }], birthDate: '1931-12-24' }),
  source('s3', 'openmrs', TWO),
  source('bad', 'openmrs', TWO, { gender: 'M' }),
  { resourceType: 'Organization', id: 'o' },
];
const take = (file: string): Promise<OpenCrSummary> =>
  importOpenCr({ registry: f.registry, domains: f.nodes.domains }, f.operator, {
    file,
    systems: new Map([['openmrs', 'urn:openmrs:ids']]),
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });

describe('patients of an OpenCR', () => {
  it.each([
    ['ndjson', EXPORT.map((one) => JSON.stringify(one)).join('\n')],
    [
      'bundle.json',
      JSON.stringify(
        { resourceType: 'Bundle', type: 'searchset', entry: EXPORT.map((resource) => ({ resource })) },
        null,
        1,
      ),
    ],
    [
      'pages.ndjson',
      [EXPORT.slice(0, 4), EXPORT.slice(4)]
        .map((part) => JSON.stringify({ resourceType: 'Bundle', entry: part.map((resource) => ({ resource })) }))
        .join('\n'),
    ],
  ])('keep their persons and CRUIDs (%s), however often they are imported', async (name, text) => {
    const file = join(folder, name);
    writeFileSync(file, text);
    const summary = await take(file);
    expect(summary).toMatchObject({
      read: 7,
      rejected: 1,
      persons: 2,
      redirects: 1,
      renamed: 0,
      reasons: { 'fhir-invalid': 1 },
    });
    expect(summary.created + summary.unchanged).toBe(3);
    expect(summary.systems).toEqual(['urn:opencr:client:dhis2', 'urn:openmrs:ids']);
    const registry = f.registry.as(f.operator.principal);
    const ids = {
      s1: await registry.findByKey('urn:openmrs:ids', 'openmrs-s1'),
      s2: await registry.findByKey('urn:opencr:client:dhis2', 'dhis2-s2'),
      s3: await registry.findByKey('urn:openmrs:ids', 'openmrs-s3'),
    };
    const goldens = await registry.goldenOf(Object.values(ids).filter((id) => id !== undefined));
    expect([
      goldens.get(ids.s1 ?? ('' as never)),
      goldens.get(ids.s2 ?? ('' as never)),
      goldens.get(ids.s3 ?? ('' as never)),
    ]).toEqual([ONE, ONE, TWO]);
  });
  it('are read by CRUID; a former one leads to its person; the ledger says why', async () => {
    const clinic = fhirFixture(f).as(await f.node('reader', 'urn:reader'));
    const one = await clinic.get(`/fhir/Patient/${ONE}`);
    expect(one.json.identifier.map(({ value }: { value: string }) => value).sort()).toEqual([
      'N-s1',
      'N-s2',
      'dhis2-s2',
      'openmrs-s1',
    ]);
    expect((await clinic.get(`/fhir/Patient/${OLD}`)).json.link).toEqual([
      { other: { reference: `Patient/${ONE}` }, type: 'replaced-by' },
    ]);
    const pix = await clinic.get(
      `/fhir/Patient/$ihe-pix?sourceIdentifier=${encodeURIComponent('urn:nid|N-s2')}&targetSystem=urn:openmrs:ids`,
    );
    expect(pix.json.parameter[0].valueIdentifier.value).toBe('openmrs-s1');
    const linked = statement<{ n: bigint }>(
      'test.linked',
      "SELECT count(*) AS n FROM registry.ledger WHERE kind = 'linked' AND golden_id = $1::uuid",
    );
    expect(Number((await f.db.ownerDatabase.rows(linked, [ONE]))[0]?.n)).toBeGreaterThan(0);
  });
  it('whose CRUID is the id of a record here are refused', async () => {
    const id = await f.registry.as(f.operator.principal).findByKey('urn:openmrs:ids', 'openmrs-s1');
    const file = join(folder, 'clash.ndjson');
    writeFileSync(
      file,
      [golden(String(id), [link('s9', 'seealso')]), source('s9', 'openmrs', String(id))]
        .map((one) => JSON.stringify(one))
        .join('\n'),
    );
    await expect(take(file)).rejects.toMatchObject({ code: 'id-taken' });
  });
  it('that are no JSON are refused with the line', async () => {
    const file = join(folder, 'broken.ndjson');
    writeFileSync(file, `${JSON.stringify(source('s10', 'openmrs', TWO))}\n{"resourceType":`);
    await expect(take(file)).rejects.toMatchObject({ code: 'file-unreadable' });
  });
});
