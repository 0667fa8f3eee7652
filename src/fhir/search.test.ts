import type { Patient } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ordinaryPatient, ordinaryQuery } from '../../test/support/fhir-arbitraries.ts';
import { Problem } from '../kernel/problem.ts';
import { parseForm } from './form.ts';
import { fold } from './search-fold.ts';
import { type ParsedSearch, parseSearch, selfQuery } from './search-query.ts';
import { type SearchTerm, searchTerms } from './search-terms.ts';

const NOW = Date.parse('2026-01-31T09:30:00Z');
const search = (query: string, strict = false): ParsedSearch => parseSearch(parseForm(query), { nowMs: NOW, strict });

/** Would the database hand this record to the exact test? */
function isCandidate(patient: Patient, { terms }: ParsedSearch): boolean {
  const kept = new Set(searchTerms(patient).map(keyOf));
  return terms.every((anyOf) => anyOf.some((term) => kept.has(keyOf(term))));
}
const keyOf = ({ parameter, value }: SearchTerm): string => `${parameter}\u0000${value}`;
const asPatient = (value: unknown): Patient => value as Patient;

const JAMES: Patient = {
  resourceType: 'Patient',
  id: 'p1',
  meta: { lastUpdated: '2025-06-01T10:00:00.000Z', tag: [{ system: 'urn:t', code: 'vip' }] },
  active: true,
  identifier: [{ system: 'urn:ug:nin', value: 'CM12|x' }, { value: 'bare' }],
  name: [{ family: "O'Kéllo", given: ['James', 'Peter-Paul'], text: 'Jimmy the Great', prefix: ['Dr'] }],
  telecom: [
    { system: 'phone', value: '+256 (0) 772-123456' },
    { system: 'email', value: 'James@Example.org' },
    { system: 'fax', value: '12 34' },
  ],
  gender: 'male',
  birthDate: '1980-05-17',
  deceasedDateTime: '2020-03-01T23:30:00-05:00',
  address: [
    {
      use: 'home',
      line: ['Plot 5, Main Street'],
      city: 'Kampala',
      state: 'Central',
      postalCode: '00256',
      country: 'UG',
    },
  ],
  extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName', valueString: 'Nalubega' }],
  communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'lg' }] } }],
  managingOrganization: { reference: 'Organization/o1', identifier: { system: 'urn:org', value: '7' } },
  link: [{ other: { reference: 'Patient/p2' }, type: 'seealso' }],
};

describe('what a search accepts', () => {
  it.each([
    ['family=okello', true],
    ['family=OKEL', true],
    ['family=ello', false],
    ["family:exact=O'Kéllo", true],
    ['family:exact=okello', false],
    ['family:contains=ell', true],
    ['given=paul', true],
    ['given=peter paul', true],
    ['given=aul', false],
    ['given=jim', false],
    ['name=jim', true],
    ['name=great', true],
    ['name=dr', true],
    ['name=okello&given=james', true],
    ['given=james&given=peter', true],
    ['given=james&given=john', false],
    ['given=john,james', true],
    ['identifier=urn:ug:nin|cm12\\|X', true],
    ['identifier=CM12\\|x', true],
    ['identifier=|bare', true],
    ['identifier=bare', true],
    ['identifier=|CM12\\|x', false],
    ['identifier=urn:ug:nin|', true],
    ['identifier=urn:other|', false],
    ['telecom=0772123456', true],
    ['telecom=256772123456', true],
    ['telecom=772123457', false],
    ['phone=082123456', false],
    ['telecom=email|james@example.org', true],
    ['telecom=phone|james@example.org', false],
    ['email=JAMES@example.org', true],
    ['telecom=12 34', true],
    ['telecom=phone|', true],
    ['telecom=sms|', false],
    ['phone=email|', false],
    ['gender=male', true],
    ['gender=http://hl7.org/fhir/administrative-gender|male', true],
    ['gender=urn:x|male', false],
    ['gender:not=male', false],
    ['gender:not=female,other', true],
    ['active=true', true],
    ['deceased=true', true],
    ['birthdate=1980', true],
    ['birthdate=1980-05', true],
    ['birthdate=1980-05-17', true],
    ['birthdate=1980-05-18', false],
    ['birthdate=ge1980-05-17', true],
    ['birthdate=gt1980-05-17', false],
    ['birthdate=lt1980-06&birthdate=gt1980-04', true],
    ['birthdate=lt1980&birthdate=gt1990', false],
    ['birthdate=sa1980-05-16', true],
    ['birthdate=eb1980-05-17', false],
    ['birthdate=ne1980', false],
    ['birthdate=ap1982', true],
    ['birthdate=ap2020', false],
    ['birthdate:missing=false', true],
    ['death-date=2020-03-02', true],
    ['death-date=2020-03-01', false],
    ['death-date=ge2020-03-02T04:30:00Z', true],
    ['address=plot', true],
    ['address=kampala', true],
    ['address=street', true],
    ['address-city=kamp', true],
    ['address-city=plot', false],
    ['address-postalcode=002', true],
    ['address-country=ug', true],
    ['address-state:exact=central', false],
    ['address-use=home', true],
    ['mothersMaidenName=nalu', true],
    ['language=LG', true],
    ['organization=Organization/o1', true],
    ['organization=o1', true],
    ['organization:Organization=o1', true],
    ['organization:identifier=urn:org|7', true],
    ['organization=o2', false],
    ['link=Patient/p2', true],
    ['_tag=urn:t|vip', true],
    ['_lastUpdated=gt2025-05-31', true],
    ['_lastUpdated=lt2025-06-01T10:00:00.000Z', false],
    ['name:missing=true', false],
    ['general-practitioner:missing=true', true],
  ])('%s → %s', (query, expected) => {
    const parsed = search(query);
    expect(parsed.accepts(JAMES)).toBe(expected);
    if (expected) expect(isCandidate(JAMES, parsed)).toBe(true);
  });

  it('finds through its terms whatever it accepts', () => {
    let accepted = 0;
    fc.assert(
      fc.property(ordinaryPatient, ordinaryQuery, (value, query) => {
        const parsed = search(query);
        const sent = asPatient(value);
        const updated = Date.parse(sent.meta?.lastUpdated ?? '');
        // The server says when, always to the millisecond; "10:00:00Z" would be the whole second.
        const patient = { ...sent, meta: { ...sent.meta, lastUpdated: new Date(updated).toISOString() } };
        if (!parsed.accepts(patient)) return;
        accepted += 1;
        expect(isCandidate(patient, parsed), query).toBe(true);
        const { fromMs = -Infinity, beforeMs = Infinity } = parsed.lastUpdated;
        expect(updated >= fromMs && updated < beforeMs, query).toBe(true);
      }),
      { numRuns: 5000 },
    );
    // Otherwise the property would hold for want of cases.
    expect(accepted).toBeGreaterThan(500);
  });

  it('narrows open-ended conditions on one date together', () => {
    const { terms } = search('birthdate=ge1980&birthdate=lt1990-06');
    expect(terms).toHaveLength(1);
    expect(terms[0]?.map(({ value }) => value)).toEqual(Array.from({ length: 11 }, (_, i) => String(1980 + i)));
  });

  it('asks for whole centuries where a range is open', () => {
    const values = search('birthdate=lt1910').terms[0]?.map(({ value }) => value);
    expect(values).toContain('c00');
    expect(values).toContain('c18');
    expect(values).toContain('1910');
    expect(values).not.toContain('c19');
  });

  it('keeps the number of terms of an ordinary record small', () => {
    expect(searchTerms(JAMES).length).toBeLessThan(120);
    const plain: Patient = {
      resourceType: 'Patient',
      active: true,
      gender: 'male',
      birthDate: '1980-01-01',
      name: [{ family: 'Okello', given: ['James'] }],
      identifier: [{ system: 'urn:a', value: '1' }],
    };
    expect(searchTerms(plain).length).toBeLessThan(30);
  });

  it('stops beyond the number that its caller can use, so that the caller can refuse', () => {
    const given = Array.from({ length: 600 }, (_, i) => `n${i}abcdefgh`);
    const patient: Patient = { resourceType: 'Patient', name: [{ given }] };
    const all = searchTerms(patient).length;
    const some = searchTerms(patient, 100).length;
    expect(all).toBeGreaterThan(2_000);
    expect(some).toBeGreaterThan(100);
    expect(some).toBeLessThan(all);
  });
});

describe('how a search is read', () => {
  it.each([
    'family:sounds=x',
    'gender:above=male',
    'birthdate=1980-02-30',
    'birthdate=xx1980',
    'birthdate=yesterday',
    'birthdate:missing=maybe',
    'identifier=a|b|c',
    'identifier=|',
    '_count=-1',
    '_count=1001',
    '_count=ten',
    '_count=1&_count=2',
    '_sort=family',
    '_sort=_lastUpdated,family',
    '_summary=some',
    '_total=maybe',
    '_elements=a b',
    '_summary=true&_elements=name',
    '_filter=name eq x',
    '_has:Observation:patient:code=1',
    '_content=x',
    'general-practitioner.name=x',
    'organization:Patient=1',
    '_id:missing=true',
    '_tag=https://careseal.org/fhir/record-kind|other',
    '_tag=https://careseal.org/fhir/record-kind|golden,https://careseal.org/fhir/record-kind|source',
    'family=%ff',
    'family=%zz',
    'family=%00',
  ])('refuses %s', (query) => {
    expect(() => search(query)).toThrow(expect.objectContaining({ kind: 'invalid' }));
  });

  it.each([
    ['a value of 5,000 characters', `family=${'x'.repeat(5000)}`],
    ['300 ids', `_id=${Array.from({ length: 300 }, (_, i) => `id${i}`).join(',')}`],
    ['200 parameters', Array.from({ length: 200 }, () => 'family=x').join('&')],
  ])('refuses %s', (_what, query) => {
    expect(() => search(query)).toThrow(expect.objectContaining({ kind: 'invalid' }));
  });

  it('ignores what is not known, says so in the self link, and refuses it when asked to be strict', () => {
    const parsed = search('family=x&shoe-size=43&given=');
    expect(selfQuery(parsed)).toBe('family=x');
    expect(parsed.ignored).toHaveLength(2);
    expect(() => search('shoe-size=43', true)).toThrow(Problem);
    expect(() => search('family=x', true)).not.toThrow();
  });

  it('tells golden from source records by _tag', () => {
    expect(search('family=x').kind).toBeUndefined();
    expect(search('_tag=https://careseal.org/fhir/record-kind|source').kind).toBe('source');
    expect(search('_tag=https://careseal.org/fhir/record-kind%7Csource').everything).toBe(true);
  });

  it('collects the domains whose identifiers are asked for', () => {
    expect(search('family=x&identifier=urn:a|,urn:b|').domains).toEqual(['urn:a', 'urn:b']);
    expect(search('identifier=urn:a|1').domains).toBeUndefined();
  });

  it('takes ids apart and intersects repeats', () => {
    expect(search('_id=a,b&_id=b,c').ids).toEqual(['b']);
  });

  it('reads order, count, summary and elements', () => {
    expect(search('_sort=-_lastUpdated&_count=0&_summary=count&_total=accurate')).toMatchObject({
      order: 'last-updated-descending',
      count: 0,
      summary: 'count',
      total: 'accurate',
    });
    expect(search('_elements=name,Patient.birthDate').elements).toEqual(['name', 'birthDate']);
  });

  it('names no value in a refusal', () => {
    try {
      search('birthdate=Okello');
      expect.unreachable();
    } catch (error) {
      expect(JSON.stringify(error) + String(error)).not.toContain('Okello');
    }
  });
});

describe('folding', () => {
  it.each([
    ['  Anna   María ', 'anna maria'],
    ["O'Brien", 'obrien'],
    ['al-Hassan', 'al hassan'],
    ['Straße', 'strasse'],
    ['ŁÓDŹ', 'lodz'],
    ['İstanbul', 'istanbul'],
    ['مُحَمَّد', 'محمد'],
    ['किरण', 'किरण'],
    ['--', '--'],
  ])('%s → %s', (text, expected) => expect(fold(text)).toBe(expected));

  it('is idempotent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => fold(fold(text)) === fold(text)),
      { numRuns: 2000 },
    );
  });
});
