import { readFileSync } from 'node:fs';
import { Problem } from '../../kernel/problem.ts';
import { createCsvSplitter } from './csv-splitter.ts';
import { textOf } from './fields.ts';
import type { ReadColumn } from './read-columns.ts';

/** Who is who: records with the same number are one person. A record that nothing is known of has a number of its own. */
export interface Truth {
  readonly person: Uint32Array;
  readonly pairs: number;
}

/** From a column; an empty field is somebody of whom nothing is known. */
export function truthOfColumn({ ids }: ReadColumn): Truth {
  const person = Uint32Array.from(ids);
  let next = 0;
  for (const id of ids) if (id > next) next = id;
  for (let at = 0; at < person.length; at++) if (person[at] === 0) person[at] = ++next;
  return { person, pairs: countPairs(person) };
}

/** From a file of pairs of record ids, closed: if A is B and B is C, A is C. Throws Problem for ids that the file does not have. */
export function truthOfPairs(path: string, size: number, ids: ReadColumn | undefined): Truth {
  if (ids === undefined) {
    throw new Problem('invalid', 'map-incomplete', 'The mapping must say with "id" which column the pairs name.');
  }
  const place = new Map<string, number>();
  for (let at = 0; at < size; at++) place.set(textOf(ids.texts, ids.ids[at] as number), at);
  const parent = Uint32Array.from({ length: size }, (_, at) => at);
  const root = (start: number): number => {
    let at = start;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at] as number] as number;
      at = parent[at] as number;
    }
    return at;
  };
  let unknown = 0;
  let known = 0;
  for (const [left, right] of readPairs(path)) {
    const a = place.get(left);
    const b = place.get(right);
    if (a === undefined || b === undefined) unknown++;
    else {
      known++;
      parent[root(a)] = root(b);
    }
  }
  // A header row names no records.
  if (known === 0 || unknown > 1 + known) {
    throw new Problem(
      'invalid',
      'truth-unknown',
      `Of the pairs of true links ${known} name two records of the file and ${unknown} do not. Check the column that "id" of the mapping names.`,
    );
  }
  const person = Uint32Array.from({ length: size }, (_, at) => root(at));
  return { person, pairs: countPairs(person) };
}

function readPairs(path: string): readonly (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  const decoder = new TextDecoder();
  const splitter = createCsvSplitter(44, ({ bytes, starts, ends, count, faulty }) => {
    if (faulty || count < 2) return;
    const text = (at: number): string => decoder.decode(bytes.subarray(starts[at], ends[at]));
    pairs.push([text(0), text(1)]);
  });
  try {
    splitter.push(new Uint8Array(readFileSync(path)));
  } catch (cause) {
    throw new Problem('invalid', 'file-unreadable', `The file ${path} cannot be read. Nothing was changed.`, { cause });
  }
  splitter.end();
  return pairs;
}

export function countPairs(person: Uint32Array): number {
  let most = 0;
  for (const number of person) if (number > most) most = number;
  const counts = new Uint32Array(most + 1);
  let pairs = 0;
  for (const number of person) {
    // Every new record of a person makes a pair with each before it.
    pairs += counts[number] as number;
    counts[number] = (counts[number] as number) + 1;
  }
  return pairs;
}
