import { fold, words } from './fold.ts';
import { WORD_UNITS_MAX } from './jaro-winkler.ts';
import { nicknameGroups } from './nicknames.ts';
import { phonetic } from './phonetic.ts';
import { isUnnamedChild } from './placeholders.ts';

/** One word of a name, with everything that comparison needs precomputed. */
export interface NameWord {
  readonly text: string;
  /** UTF-16 units, at most 31. */
  readonly units: Uint16Array;
  readonly phonetic: string;
  /** One bit per letter that occurs, how many there are, and how many are repetitions: what `cannotBeAlike` needs. */
  readonly letters: number;
  readonly length: number;
  readonly repeated: number;
  readonly nicknames: readonly number[];
}

export interface PreparedName {
  /** All words joined, particles included: "vanderberg". What exact agreement compares. */
  readonly joined: NameWord;
  /** At least one; particles left out unless nothing else is there. */
  readonly words: readonly NameWord[];
  /** log2 of the share of people who have this name, by the frequency table given; see `frequencies.ts`. */
  readonly shareLog2: number;
}

const PARTICLES = new Set(
  'van von vom der den de del della di da das do dos du des la le las los el al ul ad bin bint ibn ben abu ould wa ter ten te zu zur y e i st san'.split(
    ' ',
  ),
);
const TITLES = new Set(
  'mr mrs ms miss mx dr prof rev fr sir madam mme mlle hon hajji hajj hadji haji hajat eng sheikh sheik late'.split(
    ' ',
  ),
);
/** Written in words these were meant; numerals lose a stroke (II, I) as letters are lost. */
export const SENIOR = 5;
export const JUNIOR = 6;
const GENERATIONS: ReadonlyMap<string, number> = new Map([
  ['sr', SENIOR],
  ['senior', SENIOR],
  ['i', 1],
  ['jr', JUNIOR],
  ['junior', JUNIOR],
  ['jnr', JUNIOR],
  ['ii', 2],
  ['2nd', 2],
  ['iii', 3],
  ['3rd', 3],
  ['iv', 4],
  ['4th', 4],
]);
/** More words than this are no help and would make comparison quadratic in what somebody typed. */
const WORDS_MAX = 6;

export interface NameParts {
  readonly words: readonly string[];
  /** 1 to 4 as a numeral, `SENIOR`, `JUNIOR`; 0 unknown. */
  readonly generation: number;
  /** The text was there, but stands for "not known". */
  readonly placeholder: boolean;
  /** "Baby of …": a child not yet named. */
  readonly unnamed: boolean;
}

/** Splits a name as it was written into folded words, without titles, generation marks and placeholder words. */
export function nameParts(texts: readonly string[], skip: ReadonlySet<string>): NameParts {
  const found: string[] = [];
  let generation = 0;
  let placeholder = false;
  let unnamed = false;
  for (const text of texts) {
    const folded = fold(text);
    if (folded === '') continue;
    if (isUnnamedChild(folded)) {
      unnamed = true;
      placeholder = true;
      continue;
    }
    if (skip.has(folded)) {
      placeholder = true;
      continue;
    }
    for (const word of words(folded)) {
      const mark = GENERATIONS.get(word);
      if (mark !== undefined && word.length > 1) generation = mark;
      else if (skip.has(word)) placeholder = true;
      else found.push(word);
    }
  }
  return { words: withoutTitles(found), generation, placeholder, unnamed };
}

export function generationOf(texts: readonly string[]): number {
  for (const text of texts) {
    const mark = GENERATIONS.get(fold(text));
    if (mark !== undefined) return mark;
  }
  return 0;
}

/** Titles are dropped from the front only, and never the last word left. */
function withoutTitles(found: readonly string[]): readonly string[] {
  let start = 0;
  while (start < found.length - 1 && TITLES.has(found[start] ?? '')) start++;
  return start === 0 ? found : found.slice(start);
}

export function prepareName(parts: readonly string[], shareLog2: (joined: string) => number): PreparedName | undefined {
  if (parts.length === 0) return undefined;
  const core = parts.length === 1 ? parts : coreWords(parts);
  const prepared = core.slice(0, WORDS_MAX).map(prepareWord);
  const joined = parts.length === 1 ? (prepared[0] as NameWord) : prepareWord(parts.join(''));
  return { joined, words: prepared, shareLog2: shareLog2(joined.text) };
}

function coreWords(parts: readonly string[]): readonly string[] {
  const core = parts.filter((word) => !PARTICLES.has(word));
  return core.length > 0 ? core : parts;
}

/**
 * Words that came before: a few thousand make up most names of a population. Equal words are one object then, which is found equal without
 * looking at its letters, and what was worked out for it is there. Full, it takes no more; it knows words, and nothing of whose they are.
 */
const known = new Map<string, PreparedWord>();
const KNOWN_MAX = 20_000;
const KNOWN_LENGTH_MAX = 20;

export function prepareWord(text: string): NameWord {
  const before = known.get(text);
  if (before !== undefined) return before;
  const word = new PreparedWord(text);
  if (known.size < KNOWN_MAX && text.length <= KNOWN_LENGTH_MAX) known.set(text, word);
  return word;
}

/**
 * Made for hundreds of thousands of names of a file, of which most are turned away by their letters alone: what costs more is worked out
 * when somebody asks, and kept.
 */
class PreparedWord implements NameWord {
  readonly text: string;
  readonly length: number;
  readonly letters: number;
  readonly repeated: number;
  #units: Uint16Array | undefined;
  #phonetic: string | undefined;
  #nicknames: readonly number[] | undefined;

  constructor(text: string) {
    const length = text.length < WORD_UNITS_MAX ? text.length : WORD_UNITS_MAX;
    let letters = 0;
    let distinct = 0;
    for (let i = 0; i < length; i++) {
      const bit = 1 << (text.charCodeAt(i) & 31);
      if ((letters & bit) === 0) distinct++;
      letters |= bit;
    }
    this.text = text;
    this.length = length;
    this.letters = letters;
    this.repeated = length - distinct;
  }

  get units(): Uint16Array {
    this.#units ??= unitsOf(this.text, this.length);
    return this.#units;
  }

  get phonetic(): string {
    this.#phonetic ??= phonetic(this.text);
    return this.#phonetic;
  }

  get nicknames(): readonly number[] {
    this.#nicknames ??= nicknameGroups(this.text);
    return this.#nicknames;
  }
}

function unitsOf(text: string, length: number): Uint16Array {
  const units = new Uint16Array(length);
  for (let i = 0; i < length; i++) units[i] = text.charCodeAt(i);
  return units;
}
