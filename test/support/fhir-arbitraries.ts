/** Random resources that are valid R4 in structure, made from the same definitions that the official files hold. */
import fc from 'fast-check';
import { exactNumber } from '../../src/fhir/decimals.ts';
import { type ElementDefinition, typeDefinition } from '../../src/fhir/r4.ts';

type Json = Record<string, unknown>;

const letters = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).map(cleaned);
function cleaned(text: string): string {
  // Control characters are what FHIR texts may not hold; nothing but white space is what they should not be, and some refuse that.
  const kept = text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '');
  return kept.trim() === '' || !kept.isWellFormed() ? 'x' : kept;
}
const text = fc.oneof(
  letters,
  fc.constantFrom(
    'Ann',
    "O'Brien",
    'a <b> & "c"',
    'two\nlines\tand\rmore',
    '  edges ',
    'Ñandú',
    '李',
    '<script>alert(1)</script>',
  ),
);
const date = fc.oneof(
  fc.integer({ min: 1, max: 9999 }).map((year) => String(year).padStart(4, '0')),
  fc
    .date({ min: new Date('1880-01-01T00:00:00Z'), max: new Date('2060-12-31T00:00:00Z'), noInvalidDate: true })
    .chain((day) => fc.constantFrom(7, 10).map((length) => day.toISOString().slice(0, length))),
);
const instant = fc
  .date({ min: new Date('1900-01-01T00:00:00Z'), max: new Date('2060-12-31T00:00:00Z'), noInvalidDate: true })
  .chain((moment) =>
    fc.constantFrom(
      moment.toISOString(),
      moment.toISOString().replace(/\.\d+Z$/, '+03:00'),
      moment.toISOString().replace(/\.\d+Z$/, 'Z'),
    ),
  );
const decimal = fc
  .oneof(fc.constantFrom('1.00', '0.10', '-3.50', '1e3', '12345678901234567890.123', '0'), fc.integer().map(String))
  .map((written) => exactNumber(written));
const word = fc.constantFrom('a', 'b-1', 'home', 'X.9', 'urn:x:y', 'http://example.org/x?y=1&z=2');
const divs = [
  '<div xmlns="http://www.w3.org/1999/xhtml">Plain &amp; simple</div>',
  '<div xmlns="http://www.w3.org/1999/xhtml"><p class="x">One<br/>two &lt; three</p><table><tr><td>4</td></tr></table></div>',
];

const PRIMITIVES: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  boolean: fc.boolean(),
  integer: fc.integer({ min: -2_147_483_648, max: 2_147_483_647 }),
  unsignedInt: fc.integer({ min: 0, max: 2_147_483_647 }),
  positiveInt: fc.integer({ min: 1, max: 2_147_483_647 }),
  decimal,
  string: text,
  markdown: text,
  xhtml: fc.constantFrom(...divs),
  code: fc.constantFrom('a', 'two words', 'X-9'),
  id: fc.stringMatching(/^[A-Za-z0-9\-.]{1,20}$/),
  uri: word,
  url: word,
  canonical: word,
  oid: fc.constant('urn:oid:1.2.840.113'),
  uuid: fc.uuid().map((id) => `urn:uuid:${id}`),
  base64Binary: fc.base64String({ minLength: 4, maxLength: 16 }),
  date,
  dateTime: fc.oneof(date, instant),
  instant,
  time: fc.constantFrom('00:00:00', '23:59:60', '12:30:45.123'),
};

/** One resource of a type. `depth` bounds how deep complex elements go. */
export function resourceOf(type: string, depth = 3): fc.Arbitrary<Json> {
  return complex(type, depth).map((body) => ({ resourceType: type, ...body }));
}

function complex(type: string, depth: number): fc.Arbitrary<Json> {
  const { elements } = typeDefinition(type);
  const byBase = Map.groupBy(elements.filter(usable), (element) => element.base);
  const parts = [...byBase.values()].map((alternatives) => {
    const required = alternatives.some((element) => element.required);
    const some = fc.constantFrom(...alternatives).chain((element) => member(element, depth));
    const none = fc.constant<Json>({});
    if (required || depth < 1) return required ? some : none;
    return fc.oneof({ arbitrary: none, weight: 3 }, { arbitrary: some, weight: 1 });
  });
  return fc
    .tuple(...parts)
    .map((members) => Object.assign({}, ...members) as Json)
    .map((value) =>
      Object.keys(value).length > 0 ? value : { extension: [{ url: 'urn:filler', valueBoolean: true }] },
    );

  function usable(element: ElementDefinition): boolean {
    if (['modifierExtension', 'implicitRules', 'contained'].includes(element.name)) return false;
    if (element.type === 'Resource') return false;
    // An extension has a value or extensions; here always a value.
    return type !== 'Extension' || element.name !== 'extension';
  }
}

function member(element: ElementDefinition, depth: number): fc.Arbitrary<Json> {
  const { name } = element;
  if (!element.primitive) {
    const one = complex(element.type, depth - 1);
    return element.array
      ? fc.array(one, { minLength: 1, maxLength: 2 }).map((list) => ({ [name]: list }))
      : one.map((value) => ({ [name]: value }));
  }
  const value = element.codes ? fc.constantFrom(...element.codes) : (PRIMITIVES[element.type] ?? fc.constant('x'));
  if (element.xmlAttribute || element.type === 'xhtml') return value.map((only) => ({ [name]: only }));
  const sibling = fc.constant({ extension: [{ url: 'urn:why', valueCode: 'unknown' }] });
  const item = fc.oneof(
    { arbitrary: fc.record({ value }), weight: 6 },
    { arbitrary: fc.record({ value, sibling }), weight: 1 },
    { arbitrary: fc.record({ sibling }), weight: 1 },
  ) as fc.Arbitrary<{ value?: unknown; sibling?: Json }>;
  if (!element.array) {
    return item.map((made) => ({
      ...('value' in made ? { [name]: made.value } : {}),
      ...('sibling' in made ? { [`_${name}`]: made.sibling } : {}),
    }));
  }
  return fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => ({
    ...(items.some((made) => 'value' in made) ? { [name]: items.map((made) => made.value ?? null) } : {}),
    ...(items.some((made) => 'sibling' in made) ? { [`_${name}`]: items.map((made) => made.sibling ?? null) } : {}),
  }));
}

/** A Patient as registries hold them: names, identifiers, dates, addresses that collide often. */
export const ordinaryPatient: fc.Arbitrary<Json> = (() => {
  const names = [
    'Ann',
    'Anna',
    'ann-marie',
    'Ánna María',
    "O'Brien",
    'OBrien',
    'Okello',
    'Nakato Grace',
    'ß',
    '李',
    'Müller',
    '--',
    'van der Berg',
  ];
  const name = fc.constantFrom(...names);
  const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
    fc.option(arbitrary, { nil: undefined, freq: 4 });
  const list = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[] | undefined> =>
    optional(fc.array(arbitrary, { minLength: 1, maxLength: 2 }));
  const identifier = fc.record(
    { system: fc.constantFrom('urn:a', 'urn:b'), value: fc.constantFrom('1', 'x2', 'X2', 'a|b', 'c,d') },
    { requiredKeys: [] },
  );
  const reference = fc.record({
    reference: fc.constantFrom('Organization/1', 'Organization/2', 'https://h/fhir/Organization/1'),
  });
  const patient = fc.record({
    active: optional(fc.boolean()),
    identifier: list(identifier),
    name: list(
      fc.record(
        { family: name, given: fc.array(name, { minLength: 1, maxLength: 2 }), text: name },
        { requiredKeys: ['family'] },
      ),
    ),
    telecom: list(
      fc.record({
        system: fc.constantFrom('phone', 'email', 'sms', 'fax', 'other'),
        value: fc.constantFrom(
          '+256 772 123456',
          '0772123456',
          '7772123456',
          '12345',
          'A@b.org',
          'a@b.org',
          '000',
          'none',
        ),
      }),
    ),
    gender: optional(fc.constantFrom('male', 'female', 'other', 'unknown')),
    birthDate: optional(date),
    deceased: optional(fc.oneof(fc.boolean(), instant)),
    address: list(
      fc.record(
        {
          line: fc.array(name, { minLength: 1, maxLength: 2 }),
          city: name,
          state: name,
          country: name,
          postalCode: fc.constantFrom('12345', '12', 'AB 1'),
          use: fc.constantFrom('home', 'work'),
        },
        { requiredKeys: [] },
      ),
    ),
    maiden: optional(name),
    managingOrganization: optional(reference),
    communication: list(
      fc.record({ language: fc.record({ coding: fc.constant([{ system: 'urn:ietf:bcp:47', code: 'en' }]) }) }),
    ),
    meta: fc.record({ lastUpdated: instant, tag: fc.constant([{ system: 'urn:t', code: 'T' }]) }),
  });
  return patient.map(({ deceased, maiden, ...rest }) => {
    const extension =
      maiden === undefined
        ? {}
        : {
            extension: [
              { url: 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName', valueString: maiden },
            ],
          };
    const end =
      deceased === undefined
        ? {}
        : typeof deceased === 'boolean'
          ? { deceasedBoolean: deceased }
          : { deceasedDateTime: deceased };
    return Object.fromEntries(
      Object.entries({ resourceType: 'Patient', ...rest, ...extension, ...end }).filter(
        ([, value]) => value !== undefined,
      ),
    );
  });
})();

/** Query strings that often hit `ordinaryPatient`. */
export const ordinaryQuery: fc.Arbitrary<string> = (() => {
  const names = [
    'a',
    'an',
    'Ann',
    'anna',
    'ANN MARIE',
    'anna m',
    'maría',
    'obrien',
    "o'b",
    'grace',
    'van d',
    'der berg',
    'okell',
    'ss',
    '李',
    '-',
    '--',
    'muller',
    'x',
  ];
  const prefix = fc.constantFrom('', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap');
  const strings = fc.tuple(
    fc.constantFrom(
      'given',
      'family',
      'name',
      'address',
      'address-city',
      'address-state',
      'address-country',
      'mothersMaidenName',
    ),
    fc.constantFrom('', ':exact', ':contains'),
    fc
      .array(fc.constantFrom(...names, 'Ann', 'Okello'), { minLength: 1, maxLength: 2 })
      .map((values) => values.join(',')),
  );
  const tokens = fc.tuple(
    fc.constantFrom(
      'identifier',
      'telecom',
      'phone',
      'email',
      'gender',
      'active',
      'deceased',
      'language',
      'address-use',
      '_tag',
    ),
    fc.constantFrom('', ':not'),
    fc.constantFrom(
      '1',
      'x2',
      'urn:a|X2',
      '|1',
      'urn:b|',
      'a\\|b',
      'urn:a|c\\,d',
      '0772123456',
      '+256772123456',
      '772123456',
      '12345',
      'phone|0772123456',
      'A@B.org',
      '000',
      'none',
      'male',
      'http://hl7.org/fhir/administrative-gender|female',
      'true',
      'false',
      'en',
      'home',
      'urn:t|t',
    ),
  );
  const dates = fc.tuple(
    fc.constantFrom('birthdate', 'death-date', '_lastUpdated'),
    fc.constant(''),
    fc.tuple(prefix, fc.oneof(date, instant)).map(([before, value]) => before + value),
  );
  const others = fc.constantFrom(
    ['organization', '', 'Organization/1'],
    ['organization', '', '1'],
    ['organization', ':Organization', '2'],
    ['birthdate', ':missing', 'true'],
    ['family', ':missing', 'false'],
  );
  return fc
    .array(fc.oneof(strings, tokens, dates, others), { minLength: 1, maxLength: 3 })
    .map((parts) =>
      parts.map(([name, modifier, value]) => `${name}${modifier}=${encodeURIComponent(value)}`).join('&'),
    );
})();
