import type { MapDocument } from './map-document.ts';

type Order = NonNullable<Exclude<MapDocument['name'], string | undefined>['order']>;

/** A whole name in one text, split into given and family name. A comma says which is which whatever the order. */
export function splitWholeName(
  text: string,
  order: Order | undefined = 'given-family',
): { givens: string[]; families: string[] } {
  const comma = text.indexOf(',');
  if (order === 'family-comma-given' || comma > 0) {
    return {
      families: listed(text.slice(0, comma < 0 ? undefined : comma)),
      givens: comma < 0 ? [] : listed(text.slice(comma + 1)),
    };
  }
  const parts = text.split(/\s+/).filter((part) => part !== '');
  if (parts.length < 2) return { givens: parts, families: [] };
  if (order === 'family-given') return { families: parts.slice(0, 1), givens: [parts.slice(1).join(' ')] };
  return { families: parts.slice(-1), givens: [parts.slice(0, -1).join(' ')] };
}

function listed(text: string): string[] {
  const value = text.trim();
  return value === '' ? [] : [value];
}
