import type { Patient } from '@medplum/fhirtypes';
import { type TypeDefinition, typeDefinition } from './r4.ts';
import type { Summary } from './search-controls.ts';

type Json = Readonly<Record<string, unknown>>;

/** R4 §3.1.1.5.8: says that a resource is not whole, so that nobody writes it back. */
export const SUBSETTED = {
  system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue',
  code: 'SUBSETTED',
  display: 'subsetted',
} as const;

/** The part of a Patient that `_summary` or `_elements` asks for, tagged as a part; the whole where neither does. */
export function subset(patient: Patient, summary: Summary, elements: readonly string[] | undefined): Patient {
  const definition = typeDefinition('Patient');
  if (elements) {
    const wanted = new Set(['id', 'meta', ...elements]);
    // A modifier could turn the meaning of the rest round, so it always stays.
    return tagged(pick(patient, definition, (name) => wanted.has(name) || isModifier(definition, name)));
  }
  if (summary === 'true') return tagged(summaryOf(patient, definition));
  if (summary === 'data') return tagged(pick(patient, definition, (name) => name !== 'text'));
  if (summary === 'text') return tagged(pick(patient, definition, (name) => ['id', 'meta', 'text'].includes(name)));
  return patient;
}

const isModifier = (definition: TypeDefinition, name: string): boolean =>
  definition.byName.get(name)?.modifier ?? false;

function tagged(part: Json): Patient {
  const meta = (part['meta'] ?? {}) as NonNullable<Patient['meta']>;
  // A part of a valid Patient, whose elements are all optional.
  return { ...part, meta: { ...meta, tag: [...(meta.tag ?? []), SUBSETTED] } } as Patient;
}

/** Keeps top-level elements, asked by base name (`deceased` for deceasedBoolean); `_name` goes with `name`. */
function pick(value: object, definition: TypeDefinition, keep: (name: string) => boolean): Json {
  return Object.fromEntries(
    Object.entries(value).filter(([key]) => {
      if (key === 'resourceType') return true;
      const element = definition.byName.get(key.replace(/^_/, ''));
      return element !== undefined && (keep(element.name) || keep(element.base.replace('[x]', '')));
    }),
  );
}

/** Every element that the specification marks as part of summaries, at every depth. */
function summaryOf(value: object, definition: TypeDefinition): Json {
  const kept: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    const element = definition.byName.get(key.replace(/^_/, ''));
    if (key === 'resourceType' || key === 'id') kept[key] = inner;
    else if (element?.inSummary) {
      kept[key] = element.primitive ? inner : each(inner, (item) => summaryOf(item, typeDefinition(element.type)));
    }
  }
  return kept;
}

function each(value: unknown, map: (item: object) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => each(item, map));
  return typeof value === 'object' && value !== null ? map(value) : value;
}

/** ITI-78: only the identifiers of the domains asked for are returned. */
export function withIdentifiersOf(patient: Patient, domains: readonly string[] | undefined): Patient {
  if (!domains || !patient.identifier) return patient;
  const { identifier, ...rest } = patient;
  const kept = identifier.filter(({ system }) => system !== undefined && domains.includes(system));
  return kept.length > 0 ? { ...rest, identifier: kept } : rest;
}
