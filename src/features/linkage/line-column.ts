import { type AddressLine, lineLevel, lineLevelOf, streetLevel } from '../matching/index.ts';
import { CACHE_BITS, type Compare, ComparedColumn } from './compared-column.ts';
import type { Column, Table } from './fields.ts';
import { PairCache } from './pair-cache.ts';
import { lineOf, prepared } from './prepared-values.ts';

/**
 * Lines of addresses. Nearly every line of a file is another one, but streets are few: each is prepared once, and what two streets
 * are like is remembered.
 */
export function lineColumn(table: Table, column: Column | undefined): ComparedColumn {
  const numberOf = new Map<string, number>();
  // From 1, as the cache wants it; of every street the first line that has it.
  const streets: AddressLine[] = [lineOf('|')];
  const lines = prepared(column, (text): NumberedLine => {
    const line = lineOf(text);
    let street = numberOf.get(line.street);
    if (street === undefined) {
      street = streets.push(line) - 1;
      numberOf.set(line.street, street);
    }
    return { line, street };
  });
  const cache = new PairCache(CACHE_BITS);
  const compareStreets: Compare = (a, b) => streetLevel(streets[a] as AddressLine, streets[b] as AddressLine);
  const compare: Compare = (a, b) => {
    const { line: left, street: one } = lines(a);
    const { line: right, street: other } = lines(b);
    if (left.street === '' || right.street === '') return lineLevel(left, right);
    const street = one < other ? cache.level(one, other, compareStreets) : cache.level(other, one, compareStreets);
    return lineLevelOf(street, left, right);
  };
  return new ComparedColumn(table, column, { compare, exact: (id) => compare(id, id) });
}

interface NumberedLine {
  readonly line: AddressLine;
  readonly street: number;
}
