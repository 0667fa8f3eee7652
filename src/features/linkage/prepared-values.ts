import {
  type AddressLine,
  type BirthDate,
  letterPairs,
  parseBirthDate,
  type PreparedName,
  prepareName,
} from '../matching/index.ts';
import { type Column, textOf } from './fields.ts';

/** From the texts of columns, as `normalise.ts` wrote them, to what the comparators take. */
const NO_SHARE = (): number => 0;

export function nameOf(text: string): PreparedName {
  const name = prepareName(text.split(' '), NO_SHARE);
  if (name === undefined) throw new Error('a column holds an empty name');
  return name;
}

export function dateOf(text: string): BirthDate {
  const date = parseBirthDate(text);
  if (date === undefined) throw new Error('a column holds a date that is none');
  return date;
}

/** Reads what `normaliseLine` wrote. */
export function lineOf(text: string): AddressLine {
  return new PreparedLine(text);
}

/** Most lines of a file are never compared with one that resembles them: their pairs of letters are made when asked for. */
class PreparedLine implements AddressLine {
  readonly numbers: readonly string[];
  readonly street: string;
  #letterPairs: AddressLine['letterPairs'] | undefined;

  constructor(text: string) {
    const bar = text.indexOf('|');
    const numbers = text.slice(0, bar);
    this.numbers = numbers === '' ? NO_NUMBERS : numbers.includes(' ') ? numbers.split(' ') : [numbers];
    this.street = text.slice(bar + 1);
  }

  get letterPairs(): AddressLine['letterPairs'] {
    this.#letterPairs ??= letterPairs(this.street);
    return this.#letterPairs;
  }
}

const NO_NUMBERS: readonly string[] = [];

/** The prepared value of a number, made when first asked for. */
export function prepared<Value>(column: Column | undefined, make: (text: string) => Value): (id: number) => Value {
  const made: (Value | undefined)[] = [];
  return (id) => {
    let value = made[id];
    if (value === undefined && column !== undefined) {
      while (made.length <= id) made.push(undefined);
      value = make(textOf(column.texts, id));
      made[id] = value;
    }
    return value as Value;
  };
}
