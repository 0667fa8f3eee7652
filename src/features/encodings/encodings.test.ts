import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MatchRecord } from '../matching/index.ts';
import { hammingDistance, popcount } from './bits.ts';
import { createEncoder, FILTER_BITS, HARDENED_BITS } from './encoder.ts';
import {
  compareEncoded,
  exportEncoded,
  newProject,
  parseProject,
  printEncoded,
  printIds,
  printPairs,
  printProject,
  readEncoded,
  resolvePairs,
} from './index.ts';
import { matchEncoded } from './match-encoded.ts';
import type { EncodedRecord, EncodingProject } from './model.ts';

const project: EncodingProject = { name: 'Test', key: new Uint8Array(32).fill(7), hardening: 'balanced' };
const nothing = { phones: [], emails: [], identifiers: [] };
const amina: MatchRecord = {
  ...nothing,
  given: ['Amina'],
  family: ['Okello'],
  birthDate: '1984-03-12',
  gender: 'female',
};

const setBits = (bits: Uint8Array): number => bits.reduce((sum, byte) => sum + popcount(byte), 0);
const similarity = (a: Uint8Array, b: Uint8Array): number => {
  const words = (bytes: Uint8Array) => new Uint32Array(bytes.slice().buffer);
  return 1 - hammingDistance(words(a), 0, words(b), 0, a.length / 4, Number.POSITIVE_INFINITY) / (a.length * 8);
};
const encoded = (of: EncodingProject, record: MatchRecord): Uint8Array => {
  const bits = createEncoder(of).encode(record);
  if (bits === undefined) throw new Error('the record says too little');
  return bits;
};
async function* page(...records: MatchRecord[]) {
  yield records.map((record, at) => ({ name: `own-${at}`, record }));
}
const text = async (pieces: Iterable<string> | AsyncIterable<string>): Promise<string> => {
  let all = '';
  for await (const piece of pieces) all += piece;
  return all;
};
async function* lines(of: string) {
  yield* of.split('\n');
}
async function* whole(of: string) {
  yield of;
}

describe('an encoded record', () => {
  test('is the same for the same person under the same key, unrelated under another', () => {
    expect(encoded(project, amina)).toEqual(encoded(project, { ...amina, given: ['AMINA '] }));
    const other = { ...project, key: new Uint8Array(32).fill(8) };
    expect(similarity(encoded(project, amina), encoded(other, amina))).toBeLessThan(0.75);
  });

  test.each(['balanced', 'xor-folded'] as const)('stays close through a typing error (%s)', (hardening) => {
    const of = { ...project, hardening };
    const typo = { ...amina, given: ['Amnia'] };
    const swapped = { ...amina, birthDate: '1984-12-03' };
    const other = { ...amina, given: ['Peter'], family: ['Banda'], birthDate: '1999-07-25' };
    const near = encoded(of, amina);
    expect(similarity(near, encoded(of, typo))).toBeGreaterThan(similarity(near, encoded(of, other)) + 0.1);
    expect(similarity(near, encoded(of, swapped))).toBeGreaterThan(similarity(near, encoded(of, other)) + 0.1);
  });

  test('that is balanced has half of its bits set, whatever the record says', () => {
    // Shorter names may say too little to be encoded at all.
    const word = fc.stringMatching(/^[a-z]{3,12}$/);
    fc.assert(
      fc.property(word, word, fc.integer({ min: 1930, max: 2020 }), (given, family, year) => {
        const record: MatchRecord = { ...nothing, given: [given], family: [family], birthDate: `${year}-05-17` };
        expect(setBits(encoded(project, record))).toBe(FILTER_BITS);
      }),
      { numRuns: 30 },
    );
  });

  test('has the length its hardening says, and none is made of too little', () => {
    for (const hardening of ['balanced', 'xor-folded'] as const)
      expect(encoded({ ...project, hardening }, amina)).toHaveLength(HARDENED_BITS[hardening] / 8);
    expect(createEncoder(project).encode({ ...nothing, given: ['Amina'], family: ['Okello'] })).toBeUndefined();
  });

  test('holds no identifier: two people who differ in nothing else are the same', () => {
    const withId = { ...amina, identifiers: [{ system: 'urn:nin', value: 'CF1' }], emails: ['a@example.org'] };
    expect(encoded(project, withId)).toEqual(encoded(project, amina));
  });
});

describe('a project file', () => {
  test('reads back, and refuses what was changed', () => {
    const made = newProject('HIV and TB', 'xor-folded');
    expect(parseProject(printProject(made))).toEqual(made);
    for (const broken of ['', '{}', printProject(made).replace('"key": "', '"key": "A'), '[1,2]'])
      expect(() => parseProject(broken)).toThrow(expect.objectContaining({ code: 'project-invalid' }));
  });
});

describe('two programmes', () => {
  const peter: MatchRecord = {
    ...nothing,
    given: ['Peter'],
    family: ['Banda'],
    birthDate: '1999-12-25',
    gender: 'male',
  };
  const zoe: MatchRecord = { ...nothing, given: ['Zoe'], family: ['Zulu'], birthDate: '1980-04-30', gender: 'female' };

  test('find whom they share, and each traces the pairs back by its own list', async () => {
    const a = await exportEncoded(project, page(amina, peter));
    const b = await exportEncoded(project, page(zoe, { ...amina, given: ['Aminah'] }));
    const files = {
      a: await readEncoded('a', lines(await text(printEncoded(a.header, a.records)))),
      b: await readEncoded('b', lines(await text(printEncoded(b.header, b.records)))),
    };
    const { pairs, recallAtLimit } = compareEncoded(files);
    expect(recallAtLimit).toBe(1);
    expect(pairs).toHaveLength(1);
    const found = await text(
      resolvePairs(whole(await text(printPairs(pairs))), whole(await text(printIds(b.ids))), 'b'),
    );
    expect(found.split('\n')[1]).toMatch(/^own-1,/);
  });

  test('write nothing of a person into what leaves the house', async () => {
    const { header, records } = await exportEncoded(project, page(amina, peter));
    const file = await text(printEncoded(header, records));
    for (const secret of ['Amina', 'amina', 'Okello', '1984', 'own-0', Buffer.from(project.key).toString('base64url')])
      expect(file).not.toContain(secret);
  });

  test('of different projects are told so', async () => {
    const a = await exportEncoded(project, page(amina));
    const b = await exportEncoded({ ...project, key: new Uint8Array(32).fill(9) }, page(amina));
    expect(() => compareEncoded({ a, b })).toThrow(expect.objectContaining({ code: 'projects-differ' }));
  });

  test('are told of a file that was cut, doubled or is something else, and of lists that do not fit', async () => {
    const { header, records, ids } = await exportEncoded(project, page(amina, peter));
    const file = (await text(printEncoded(header, records))).trimEnd().split('\n');
    const [head = '', first = ''] = file;
    for (const broken of [
      [],
      [head, first],
      [...file, first],
      [head, first, first],
      ['id,name', 'x,y'],
      [head, '{}', first],
    ])
      await expect(readEncoded('x', lines(broken.join('\n')))).rejects.toMatchObject({ code: 'encoded-file-invalid' });
    const pairs = await text(printPairs([{ a: 'nobody', b: 'none', similarity: 1, grade: 'certain' }]));
    const list = await text(printIds(ids));
    await expect(text(resolvePairs(whole(pairs), whole(list), 'a'))).rejects.toMatchObject({ code: 'ids-invalid' });
    await expect(text(resolvePairs(whole('x,y\n1,2\n'), whole(list), 'a'))).rejects.toMatchObject({
      code: 'pairs-invalid',
    });
    await expect(text(resolvePairs(whole(pairs), whole(''), 'a'))).rejects.toMatchObject({ code: 'ids-invalid' });
  });

  test('with nobody who can be compared are told so', async () => {
    await expect(exportEncoded(project, page({ ...nothing, given: ['A'], family: [] }))).rejects.toMatchObject({
      code: 'nothing-encoded',
    });
  });
});

test('blocking by random bits finds what comparing everything finds', () => {
  const random = (() => {
    let state = 12_345;
    return () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state >>> 8;
    };
  })();
  const bits = HARDENED_BITS.balanced;
  const record = (id: string): EncodedRecord => ({
    id,
    bits: Uint8Array.from({ length: bits / 8 }, () => random() & 255),
  });
  const a = Array.from({ length: 400 }, (_, at) => record(`a${at}`));
  const flipped = (of: EncodedRecord, id: string, count: number): EncodedRecord => {
    const copy = of.bits.slice();
    for (let n = 0; n < count; n++) {
      const at = random() % copy.length;
      copy[at] = (copy[at] ?? 0) ^ (1 << (random() & 7));
    }
    return { id, bits: copy };
  };
  const b = a.map((of, at) => flipped(of, `b${at}`, at % 200));
  const input = { hardening: 'balanced', bits, a, b } as const;
  const all = matchEncoded(input);
  const blocked = matchEncoded({ ...input, compareAllMax: 0 });
  expect(all.pairs).toHaveLength(400);
  expect(blocked.compared).toBeLessThan(all.compared / 4);
  expect(blocked.pairs.length).toBeGreaterThanOrEqual(398);
  expect(blocked.recallAtLimit).toBeGreaterThanOrEqual(0.95);
});
