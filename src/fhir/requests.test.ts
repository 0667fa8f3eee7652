import type { Patient } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { capabilityStatement } from './capability.ts';
import { openReferences, parseBundleRequest, replaceReferences, transactionOrder } from './bundle-request.ts';
import { parseMatchRequest } from './match-operation.ts';
import { isNotModified, parseIfMatch, parseIfNoneExist, parsePrefer } from './preconditions.ts';
import { SUBSETTED, subset, withIdentifiersOf } from './subset.ts';
import { validateResource } from './validate.ts';

const PATIENT = { resourceType: 'Patient', name: [{ family: 'A' }] };
const bundle = (type: string, ...entry: unknown[]): unknown => ({ resourceType: 'Bundle', type, entry });
const request = (method: string, url: string, rest: object = {}): object => ({ request: { method, url, ...rest } });

/** The problem that a call throws, as plain data. */
function problemOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('batch and transaction', () => {
  it('understands every kind of entry', () => {
    const { type, entries } = parseBundleRequest(
      bundle(
        'transaction',
        {
          fullUrl: 'urn:uuid:11111111-1111-4111-8111-111111111111',
          resource: PATIENT,
          ...request('POST', 'Patient', { ifNoneExist: 'identifier=urn:a|1' }),
        },
        { resource: { ...PATIENT, id: 'x' }, ...request('PUT', 'Patient/x', { ifMatch: 'W/"2"' }) },
        { resource: PATIENT, ...request('PUT', 'Patient?identifier=urn%3Aa%7C1') },
        request('DELETE', 'Patient/y'),
        request('DELETE', 'Patient?identifier=urn:a|1'),
        request('GET', 'Patient/z'),
        request('GET', 'Patient/z/_history/3'),
        request('GET', 'Patient?family=a&family=b'),
      ),
    );
    expect(type).toBe('transaction');
    const acts = entries.map((entry) => ('act' in entry ? entry.act : undefined));
    expect(acts).toMatchObject([
      { kind: 'create', ifNoneExist: [['identifier', 'urn:a|1']] },
      { kind: 'update', id: 'x', ifMatch: 2 },
      { kind: 'conditional-update', query: [['identifier', 'urn:a|1']] },
      { kind: 'delete', id: 'y' },
      { kind: 'conditional-delete', query: [['identifier', 'urn:a|1']] },
      { kind: 'read', id: 'z' },
      { kind: 'vread', id: 'z', version: '3' },
      {
        kind: 'search',
        query: [
          ['family', 'a'],
          ['family', 'b'],
        ],
      },
    ]);
  });

  it('carries a transaction out in the order DELETE, POST, PUT, GET', () => {
    const { entries } = parseBundleRequest(
      bundle(
        'transaction',
        request('GET', 'Patient/a'),
        { resource: PATIENT, ...request('PUT', 'Patient/b') },
        { resource: PATIENT, ...request('POST', 'Patient') },
        request('DELETE', 'Patient/c'),
        { resource: PATIENT, ...request('POST', 'Patient') },
      ),
    );
    expect(transactionOrder(entries.filter((entry) => 'act' in entry))).toEqual([3, 2, 4, 1, 0]);
  });

  it('fails the entry of a batch, and the whole of a transaction, with the place', () => {
    const entries = [
      { resource: PATIENT, ...request('POST', 'Patient') },
      { resource: { resourceType: 'Patient', birthDate: '1980-02-30' }, ...request('POST', 'Patient') },
    ];
    const batch = parseBundleRequest(bundle('batch', ...entries));
    expect('act' in (batch.entries[0] ?? {})).toBe(true);
    expect(batch.entries[1]).toMatchObject({
      problem: { options: { expression: ['Bundle.entry[1].resource.birthDate'] } },
    });
    expect(problemOf(() => parseBundleRequest(bundle('transaction', ...entries)))).toMatchObject({
      kind: 'invalid',
      options: { expression: ['Bundle.entry[1].resource.birthDate'] },
    });
  });

  it.each([
    ['another resource', PATIENT, undefined],
    ['another type of bundle', { resourceType: 'Bundle', type: 'searchset' }, 'Bundle.type'],
    ['a document', { resourceType: 'Bundle', type: 'document' }, undefined],
    ['no type', { resourceType: 'Bundle' }, 'Bundle.type'],
    ['an entry without request', bundle('transaction', { resource: PATIENT }), undefined],
    ['an entry that is no object', bundle('transaction', 1), 'Bundle.entry[0]'],
    ['entries that are no array', { resourceType: 'Bundle', type: 'batch', entry: {} }, 'Bundle.entry'],
    [
      'an absolute url',
      bundle('transaction', request('GET', 'https://h/fhir/Patient/1')),
      'Bundle.entry[0].request.url',
    ],
    ['another type in the url', bundle('transaction', request('GET', 'Observation/1')), 'Bundle.entry[0].request.url'],
    ['a method that is none', bundle('transaction', request('FETCH', 'Patient/1')), 'Bundle.entry[0].request.method'],
    ['PATCH', bundle('transaction', request('PATCH', 'Patient/1')), 'Bundle.entry[0].request.method'],
    ['POST without resource', bundle('transaction', request('POST', 'Patient')), 'Bundle.entry[0].resource'],
    [
      'POST to an id',
      bundle('transaction', { resource: PATIENT, ...request('POST', 'Patient/1') }),
      'Bundle.entry[0].request.url',
    ],
    [
      'a resource of another type',
      bundle('transaction', { resource: { resourceType: 'Organization', name: 'x' }, ...request('POST', 'Patient') }),
      'Bundle.entry[0].resource',
    ],
    ['a path that climbs', bundle('transaction', request('GET', '../../etc/passwd')), 'Bundle.entry[0].request.url'],
  ])('refuses %s', (_what, value, expression) => {
    const problem = problemOf(() => parseBundleRequest(value));
    expect(problem).toMatchObject({ kind: 'invalid' });
    if (expression) expect(problem).toMatchObject({ options: { expression: [expression] } });
  });

  it('refuses a bundle of more entries than its limit', () => {
    const entries = Array.from({ length: 1001 }, () => request('GET', 'Patient/1'));
    expect(problemOf(() => parseBundleRequest(bundle('batch', ...entries)))).toMatchObject({ kind: 'too-large' });
  });

  it('finds and replaces references to other entries', () => {
    const patient: Patient = {
      resourceType: 'Patient',
      link: [
        { type: 'seealso', other: { reference: 'urn:uuid:1' } },
        { type: 'seealso', other: { reference: 'Patient/2' } },
      ],
      managingOrganization: { reference: 'Organization?identifier=urn:a|1' },
      extension: [{ url: 'u', valueDecimal: JSON.rawJSON('1.00') as unknown as number }],
    };
    expect(openReferences(patient)).toEqual(['urn:uuid:1', 'Organization?identifier=urn:a|1']);
    const replaced = replaceReferences(patient, (reference) => (reference === 'urn:uuid:1' ? 'Patient/9' : reference));
    expect(replaced.link?.map(({ other }) => other?.reference)).toEqual(['Patient/9', 'Patient/2']);
    expect(JSON.stringify(replaced)).toContain('"valueDecimal":1.00');
  });
});

describe('$match', () => {
  const parameters = (...parameter: unknown[]): unknown => ({ resourceType: 'Parameters', parameter });
  const resource = { name: 'resource', resource: PATIENT };

  it('takes Parameters and a bare Patient', () => {
    expect(parseMatchRequest(PATIENT)).toMatchObject({ onlyCertainMatches: false, count: undefined });
    expect(
      parseMatchRequest(
        parameters(resource, { name: 'onlyCertainMatches', valueBoolean: true }, { name: 'count', valueInteger: 3 }),
      ),
    ).toMatchObject({ patient: PATIENT, onlyCertainMatches: true, count: 3 });
  });

  it.each([
    ['no resource', parameters({ name: 'count', valueInteger: 1 })],
    ['two resources', parameters(resource, resource)],
    ['another resource', parameters({ name: 'resource', resource: { resourceType: 'Organization', name: 'x' } })],
    ['an unknown parameter', parameters(resource, { name: 'threshold', valueDecimal: 0.5 })],
    ['a count of none', parameters(resource, { name: 'count', valueInteger: 0 })],
    ['a count that is text', parameters(resource, { name: 'count', valueString: '3' })],
    ['onlyCertainMatches as text', parameters(resource, { name: 'onlyCertainMatches', valueString: 'true' })],
    ['an invalid Patient', parameters({ name: 'resource', resource: { resourceType: 'Patient', gender: 'm' } })],
    ['an unknown modifier extension', { ...PATIENT, modifierExtension: [{ url: 'u', valueBoolean: true }] }],
    ['a bundle', bundle('collection')],
    ['nothing', undefined],
  ])('refuses %s', (_what, body) => {
    expect(problemOf(() => parseMatchRequest(body))).toMatchObject({ kind: 'invalid' });
  });

  it('accepts an unknown plain extension', () => {
    expect(() => parseMatchRequest({ ...PATIENT, extension: [{ url: 'u', valueBoolean: true }] })).not.toThrow();
  });
});

describe('conditional headers', () => {
  it('reads If-Match and refuses what is none', () => {
    expect([undefined, 'W/"3"', '"3"', '3'].map(parseIfMatch)).toEqual([undefined, 3, 3, 3]);
    for (const bad of ['*', 'W/3', '"a"', '"1","2"', '""', '"0"', '']) {
      expect(
        problemOf(() => parseIfMatch(bad)),
        bad,
      ).toMatchObject({ kind: 'invalid' });
    }
  });

  it.each([
    [{ ifNoneMatch: 'W/"2"', ifModifiedSince: undefined }, true],
    [{ ifNoneMatch: '"1", "2"', ifModifiedSince: undefined }, true],
    [{ ifNoneMatch: '*', ifModifiedSince: undefined }, true],
    [{ ifNoneMatch: 'W/"1"', ifModifiedSince: 'Fri, 01 Jan 2038 00:00:00 GMT' }, false],
    [{ ifNoneMatch: undefined, ifModifiedSince: 'Thu, 01 Jan 2026 00:00:00 GMT' }, true],
    [{ ifNoneMatch: undefined, ifModifiedSince: 'Wed, 31 Dec 2025 23:59:59 GMT' }, false],
    [{ ifNoneMatch: undefined, ifModifiedSince: 'soon' }, false],
    [{ ifNoneMatch: undefined, ifModifiedSince: undefined }, false],
  ])('%j → not modified %s', (conditions, expected) => {
    expect(isNotModified(conditions, 2, Date.parse('2026-01-01T00:00:00.789Z'))).toBe(expected);
  });

  it('reads Prefer and If-None-Exist', () => {
    expect(parsePrefer('return=minimal; handling=strict')).toEqual({ return: 'minimal', strict: true });
    expect(parsePrefer('respond-async, return="OperationOutcome"')).toEqual({
      return: 'OperationOutcome',
      strict: false,
    });
    expect(parsePrefer('return=everything')).toEqual({ return: undefined, strict: false });
    expect(parseIfNoneExist('?identifier=a%7C1')).toEqual([['identifier', 'a|1']]);
    expect(parseIfNoneExist(undefined)).toBeUndefined();
  });
});

describe('parts of a Patient', () => {
  const patient: Patient = {
    resourceType: 'Patient',
    id: '1',
    meta: { versionId: '2', tag: [{ system: 'urn:t', code: 'x' }] },
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">A</div>' },
    active: true,
    identifier: [{ system: 'urn:a', value: '1' }, { system: 'urn:b', value: '2' }, { value: '3' }],
    name: [{ family: 'A', extension: [{ url: 'u', valueCode: 'c' }] }],
    deceasedBoolean: false,
    maritalStatus: { text: 'M' },
  };
  it.each([
    ['true', undefined, ['active', 'deceasedBoolean', 'id', 'identifier', 'meta', 'name', 'resourceType']],
    ['text', undefined, ['id', 'meta', 'resourceType', 'text']],
    [
      'data',
      undefined,
      ['active', 'deceasedBoolean', 'id', 'identifier', 'maritalStatus', 'meta', 'name', 'resourceType'],
    ],
    ['false', ['maritalStatus'], ['active', 'deceasedBoolean', 'id', 'maritalStatus', 'meta', 'resourceType']],
  ] as const)('_summary=%s, _elements=%j', (summary, elements, expected) => {
    const part = subset(patient, summary, elements);
    expect(Object.keys(part).sort()).toEqual(expected);
    expect(part.meta?.tag).toEqual([{ system: 'urn:t', code: 'x' }, SUBSETTED]);
  });

  it('drops what is in no summary below the top too, and leaves the whole alone', () => {
    expect(subset(patient, 'true', undefined).name).toEqual([{ family: 'A' }]);
    expect(subset(patient, 'false', undefined)).toBe(patient);
  });

  it('returns only the identifiers of the domains asked for', () => {
    expect(withIdentifiersOf(patient, ['urn:b']).identifier).toEqual([{ system: 'urn:b', value: '2' }]);
    expect(withIdentifiersOf(patient, ['urn:c'])).not.toHaveProperty('identifier');
    expect(withIdentifiersOf(patient, undefined)).toBe(patient);
  });
});

describe('the capability statement', () => {
  it('is valid R4', () => {
    const statement = capabilityStatement({
      softwareVersion: '0.1.0',
      baseUrl: 'https://h:8444/fhir',
      date: '2026-01-01',
      interactions: ['read', 'create', 'search-type'],
      systemInteractions: ['batch'],
      operations: [{ name: 'match', definition: 'http://hl7.org/fhir/OperationDefinition/Patient-match' }],
      conditional: {
        conditionalCreate: true,
        conditionalUpdate: false,
        conditionalDelete: 'not-supported',
        conditionalRead: 'full-support',
      },
    });
    expect(validateResource(statement)).toEqual([]);
    expect(statement.rest?.[0]?.resource?.[0]?.readHistory).toBe(false);
  });
});
