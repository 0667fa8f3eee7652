import type { Patient, Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resourceOf } from '../../test/support/fhir-arbitraries.ts';
import { Problem } from '../kernel/problem.ts';
import { printBundle, printResource, printStored } from './bundle-print.ts';
import { parseFhirJson, parseStoredJson, printFhirJson, printPrettyJson } from './json.ts';
import { bodyFormat, negotiate } from './negotiate.ts';
import { parsePatient } from './resource.ts';
import { validateResource } from './validate.ts';
import { parseFhirXml } from './xml-parse.ts';
import { printFhirXml } from './xml-print.ts';

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (written: string): Uint8Array => new TextEncoder().encode(written);
const asResource = (value: unknown): Resource => value as Resource;
const xml = (inner: string): string => `<Patient xmlns="http://hl7.org/fhir">${inner}</Patient>`;

describe('parse after print gives the same', () => {
  const types = ['Patient', 'Organization', 'AuditEvent', 'OperationOutcome'];
  it.each(types)('in JSON: %s', (type) => {
    fc.assert(
      fc.property(resourceOf(type, 2), (value) => {
        // Written once, so that decimals have their exact form on both sides.
        const first = printFhirJson(asResource(value));
        expect(text(printFhirJson(asResource(parseFhirJson(first))))).toBe(text(first));
        expect(text(printFhirJson(asResource(parseStoredJson(first))))).toBe(text(first));
        expect(parseFhirJson(printPrettyJson(asResource(value)))).toEqual(value);
      }),
      { numRuns: 100 },
    );
  });

  it.each(types)('in XML: %s', (type) => {
    fc.assert(
      fc.property(resourceOf(type, 2), (value) => {
        const parsed = parseFhirXml(printFhirXml(asResource(value)));
        expect(parsed).toEqual(value);
        expect(JSON.stringify(validateResource(parsed))).toBe(JSON.stringify(validateResource(value)));
      }),
      { numRuns: 150 },
    );
  });
});

describe('decimals', () => {
  const PLACE = { url: 'u', valueDecimal: 0 };
  it.each(['1.00', '0.10', '1e3', '-0.50', '12345678901234567890.123', '3.25', '7'])(
    'keeps %s in both formats',
    (written) => {
      const json = `{"resourceType":"Patient","extension":[{"url":"${PLACE.url}","valueDecimal":${written}}]}`;
      const patient = parsePatient(bytes(json), 'json');
      expect(text(printFhirJson(patient))).toBe(json);
      const asXml = text(printFhirXml(patient));
      expect(asXml).toContain(`<valueDecimal value="${written}"/>`);
      expect(text(printFhirJson(parsePatient(bytes(asXml), 'xml')))).toBe(json);
    },
  );
});

describe('XML', () => {
  it('prints elements in the order of the specification', () => {
    const patient: Patient = {
      birthDate: '1980',
      resourceType: 'Patient',
      name: [{ given: ['B', 'C'], family: 'A' }],
      id: '1',
    };
    expect(text(printFhirXml(patient))).toBe(
      '<?xml version="1.0" encoding="UTF-8"?><Patient xmlns="http://hl7.org/fhir"><id value="1"/><name><family value="A"/>' +
        '<given value="B"/><given value="C"/></name><birthDate value="1980"/></Patient>',
    );
  });

  it('prints values and their extensions together, however far apart they were stored', () => {
    const name = { _given: [null, { id: 'g' }], family: 'A', given: ['B', 'C'], id: 'n', _family: { id: 'f' } };
    expect(text(printFhirXml(asResource({ name: [name], resourceType: 'Patient' })))).toContain(
      '<name id="n"><family id="f" value="A"/><given value="B"/><given id="g" value="C"/></name>',
    );
  });

  it('reads a narrative with CDATA in it', () => {
    const div = '<div xmlns="http://www.w3.org/1999/xhtml"><p><![CDATA[a < b & c]]></p></div>';
    expect(parseFhirXml(xml(`<text><status value="generated"/>${div}</text>`))).toMatchObject({
      text: { div: '<div xmlns="http://www.w3.org/1999/xhtml"><p>a &lt; b &amp; c</p></div>' },
    });
    expect(() => parseFhirXml(xml('<![CDATA[Okello]]>'))).toThrow(Problem);
  });

  it('reads contained resources, prefixes and comments', () => {
    const value = parseFhirXml(
      '<?xml version="1.0" encoding="utf-8"?><!-- a --><f:Patient xmlns:f="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ' +
        'xsi:schemaLocation="http://hl7.org/fhir fhir.xsd"><f:contained><f:Organization><f:id value="o"/><f:name value="N"/></f:Organization>' +
        '</f:contained><f:managingOrganization><f:reference value="#o"/></f:managingOrganization></f:Patient>',
    );
    expect(validateResource(value)).toEqual([]);
    expect(value).toEqual({
      resourceType: 'Patient',
      contained: [{ resourceType: 'Organization', id: 'o', name: 'N' }],
      managingOrganization: { reference: '#o' },
    });
  });

  it.each([
    ['a DOCTYPE', '<!DOCTYPE Patient><Patient xmlns="http://hl7.org/fhir"/>'],
    [
      'entities that grow',
      '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Patient xmlns="http://hl7.org/fhir"><language value="&b;"/></Patient>',
    ],
    [
      'a file as an entity',
      '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><Patient xmlns="http://hl7.org/fhir"><language value="&f;"/></Patient>',
    ],
    ['an unknown entity', xml('<language value="&nbsp;"/>')],
    ['a processing instruction', '<?xml-stylesheet href="x"?><Patient xmlns="http://hl7.org/fhir"/>'],
    ['another encoding', '<?xml version="1.0" encoding="ISO-8859-1"?><Patient xmlns="http://hl7.org/fhir"/>'],
    ['nothing', ''],
    ['a text', 'Patient'],
    ['an open element', '<Patient xmlns="http://hl7.org/fhir">'],
    ['two roots', xml('') + xml('')],
    ['no namespace', '<Patient><id value="1"/></Patient>'],
    ['another namespace', '<Patient xmlns="urn:x"/>'],
    ['an element of another namespace', xml('<id xmlns="urn:x" value="1"/>')],
    ['an unknown element', xml('<shoeSize value="43"/>')],
    ['an unknown attribute', xml('<active value="true" x="1"/>')],
    ['text between elements', xml('Okello')],
    ['a value twice', xml('<active value="true"/><active value="false"/>')],
    ['an empty element', xml('<active/>')],
    ['an unknown resource', '<Pateint xmlns="http://hl7.org/fhir"/>'],
    ['a resource not known here', '<Observation xmlns="http://hl7.org/fhir"/>'],
    ['two resources in one place', xml('<contained><Patient/><Patient/></contained>')],
    ['an element in a value', xml('<active value="true"><name/></active>')],
    ['deep nesting', xml('<extension url="u">'.repeat(100) + '</extension>'.repeat(100))],
    ['bytes that are no UTF-8', new Uint8Array([0x3c, 0xff, 0x3e])],
  ])('refuses %s', (_what, input) => {
    expect(() => parseFhirXml(input)).toThrow(Problem);
    try {
      parseFhirXml(input);
    } catch (error) {
      expect(String(error)).not.toContain('Okello');
    }
  });

  it('leaves wrong values to validation, which tells their place', () => {
    const issues = validateResource(
      parseFhirXml(xml('<active value="yes"/><birthDate value="1980-02-30"/><multipleBirthInteger value="two"/>')),
    );
    expect(issues.map(({ expression }) => expression?.[0])).toEqual([
      'Patient.active',
      'Patient.birthDate',
      'Patient.multipleBirth',
    ]);
  });
});

describe('JSON', () => {
  it.each([
    ['nothing', ''],
    ['an open object', '{'],
    ['a trailing comma', '{"resourceType":"Patient",}'],
    ['a duplicate name', '{"resourceType":"Patient","active":true,"active":false}'],
    ['a duplicate name written differently', '{"resourceType":"Patient","active":true,"\\u0061ctive":false}'],
    ['deep nesting', '{"a":'.repeat(100) + '1' + '}'.repeat(100)],
    ['half of a surrogate pair', '{"resourceType":"Patient","language":"\\ud800"}'],
    ['a raw control character', '{"resourceType":"Patient","language":"a\u0001"}'],
    ['a number out of range', '{"resourceType":"Patient","multipleBirthInteger":1e999}'],
  ])('refuses %s', (_what, input) => {
    expect(() => parsePatient(bytes(input), 'json')).toThrow(expect.objectContaining({ kind: 'invalid' }));
  });

  it('refuses bytes that are no UTF-8', () => {
    expect(() => parseFhirJson(new Uint8Array([0x22, 0xc3, 0x28, 0x22]))).toThrow(Problem);
  });

  it('reads past a byte order mark', () => {
    expect(parseFhirJson('\ufeff{"a":1}')).toEqual({ a: 1 });
  });
});

describe('answers', () => {
  const stored = bytes('{"resourceType":"Patient","id":"1","name":[{"family":"Ünal"}]}');
  const answer = {
    type: 'searchset' as const,
    total: 2,
    links: [{ relation: 'self', url: 'https://h/fhir/Patient?family=%C3%BC' }],
    entries: [
      { fullUrl: 'https://h/fhir/Patient/1', resource: { stored }, search: { mode: 'match' as const } },
      { resource: { resourceType: 'Patient' as const, id: '2' } },
    ],
  };
  it('joins stored resources without opening them, to the same as printing them', () => {
    const joined = parseFhirJson(printBundle(answer, { format: 'json', pretty: false }));
    expect(joined).toEqual(parseFhirJson(printBundle(answer, { format: 'json', pretty: true })));
    expect(joined).toEqual(parseFhirXml(printBundle(answer, { format: 'xml', pretty: false })));
    expect(validateResource(joined)).toEqual([]);
  });

  it('has no entry element where there are no entries', () => {
    expect(text(printBundle({ type: 'searchset', total: 0, entries: [] }, { format: 'json', pretty: false }))).toBe(
      '{"resourceType":"Bundle","type":"searchset","total":0}',
    );
  });

  it('sends stored JSON as it is', () => {
    expect(printStored(stored, { format: 'json', pretty: false })).toBe(stored);
    expect(text(printStored(stored, { format: 'xml', pretty: false }))).toContain('<family value="Ünal"/>');
    expect(text(printResource({ resourceType: 'Patient' }, { format: 'json', pretty: true }))).toContain(
      '\n  "resourceType"',
    );
  });
});

describe('content negotiation', () => {
  it.each([
    ['', undefined, 'json'],
    ['', '*/*', 'json'],
    ['', 'application/fhir+xml', 'xml'],
    ['', 'application/fhir+xml;q=0.5, application/fhir+json', 'json'],
    ['', 'application/fhir+json;q=0.5, text/xml', 'xml'],
    ['', 'application/fhir+json; fhirVersion=4.0', 'json'],
    ['_format=xml', 'application/fhir+json', 'xml'],
    ['_format=application/fhir xml', undefined, 'xml'],
    ['_format=json', 'text/html', 'json'],
  ])('%s with Accept %s gives %s', (query, accept, format) => {
    const pairs = query === '' ? [] : [query.split('=') as [string, string]];
    expect(negotiate(pairs, accept).format).toBe(format);
  });

  it.each([
    'text/csv',
    'application/fhir+json; fhirVersion=5.0',
    'application/json; charset=utf-16',
    'application/json;q=0',
  ])('answers 406 to %s', (accept) => {
    expect(() => negotiate([], accept)).toThrow(expect.objectContaining({ kind: 'not-acceptable' }));
  });

  it.each([
    undefined,
    '',
    'json',
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/fhir+json; fhirVersion=3.0',
  ])('answers 415 to a body of %s', (type) => {
    expect(() => bodyFormat(type)).toThrow(expect.objectContaining({ kind: 'unsupported-media-type' }));
  });
});
