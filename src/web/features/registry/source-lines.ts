import type { SourceView } from '../../../features/registry/wire.ts';
import { rank } from './attribute-order.ts';

/** One attribute over all source records; `differs` when those that have a value do not agree. */
export interface SourceLine {
  readonly path: string;
  readonly label: string;
  /** One entry per source, in the sources' order; several values of one path are kept apart. */
  readonly values: readonly (readonly string[])[];
  readonly differs: boolean;
}

const plain = (value: string): string => value.normalize('NFC').toLocaleLowerCase().replaceAll(/\s+/g, ' ').trim();

/** Lines up the fields of several records by path, as people look for them. */
export function sourceLines(sources: readonly SourceView[]): readonly SourceLine[] {
  const labels = new Map<string, string>();
  for (const source of sources)
    for (const field of source.fields) if (!labels.has(field.path)) labels.set(field.path, field.label);
  const ordered = [...labels].toSorted(([a], [b]) => rank(a) - rank(b));
  return ordered.map(([path, label]) => {
    const values = sources.map((source) =>
      source.fields.filter((field) => field.path === path).map((field) => field.value),
    );
    const said = values.filter((list) => list.length > 0).map((list) => list.map(plain).toSorted().join('\n'));
    return { path, label, values, differs: new Set(said).size > 1 };
  });
}
