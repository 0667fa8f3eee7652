/** Records as the pages show them. Pure: stored content in, wire shapes out. */
import type { ResourceId } from '../../kernel/ids.ts';
import { normalised } from '../../kernel/normalise.ts';
import { instant } from '../../kernel/time.ts';
import type { StoredResource } from '../../store/model.ts';
import { patientOf } from './content.ts';
import { displayName, displayValue, labelOf, pathOf, systemLabel } from './fields.ts';
import type { LedgerEntry } from './model.ts';
import type { Provenance, SurvivorshipRule } from './survivorship.ts';
import type { ClientDetailReply, ClientSummary, FieldView, LedgerEntryView } from './wire.ts';

export function summaryOf(stored: StoredResource): ClientSummary {
  const patient = stored.content ? patientOf(stored.content) : { resourceType: 'Patient' as const };
  const name = patient.name?.[0];
  return {
    id: stored.id,
    name: displayName(name) || 'No name recorded',
    givenNames: name?.given ?? [],
    ...(name?.family ? { familyName: name.family } : {}),
    ...(patient.gender ? { gender: patient.gender } : {}),
    ...(patient.birthDate ? { birthDate: patient.birthDate } : {}),
    identifiers: (patient.identifier ?? []).flatMap((identifier) =>
      identifier.value
        ? [{ system: identifier.system ?? '', label: systemLabel(identifier.system ?? ''), value: identifier.value }]
        : [],
    ),
    sources: patient.link?.filter((link) => link.type === 'seealso').length ?? 0,
    updatedAt: instant(stored.lastUpdatedMs),
    active: patient.active !== false,
  };
}

const RULES: Readonly<Record<SurvivorshipRule, string>> = {
  united: 'Kept from every source',
  'most-frequent': 'Most sources say so; the newest decides a tie',
  'most-precise': 'The most exact date; the newest decides a tie',
  newest: 'The newest value',
  'ever-true': 'Stands once a source has said so',
  'only-value': 'No source says otherwise',
};

export interface SourceLabel {
  readonly domainLabel: string;
  readonly updatedAt: string;
}

export function demographicsOf(
  provenance: readonly Provenance[],
  sources: ReadonlyMap<ResourceId, SourceLabel>,
): ClientDetailReply['client']['demographics'] {
  const label = (id: ResourceId) => sources.get(id) ?? { domainLabel: '', updatedAt: '' };
  return provenance.flatMap((one) => {
    const path = pathOf(one.path, one.value);
    const value = displayValue(one.path, one.value);
    if (!value) return [];
    return [
      {
        path,
        label: labelOf(path),
        value,
        from: one.from.map((sourceId) => ({ sourceId, ...label(sourceId) })),
        rule: RULES[one.rule],
        alternatives: one.alternatives.map((alternative) => ({
          value: displayValue(one.path, alternative.value),
          sourceId: alternative.sourceId,
          domainLabel: label(alternative.sourceId).domainLabel,
        })),
      },
    ];
  });
}

const SENTENCES: Readonly<Record<LedgerEntry['kind'], string>> = {
  created: 'A source record made a new client.',
  linked: 'A source record was linked to this client.',
  unlinked: 'A source record was taken out of this client.',
  merged: 'Two clients were merged into one.',
  unmerged: 'A merge was taken back.',
  'never-link': 'Two records were declared different people.',
  'review-opened': 'A possible duplicate was sent to review.',
  'review-decided': 'A review was decided.',
  'decision-undone': 'A review decision was taken back.',
  repaired: 'What somebody had changed in the database, past Careseal, was put right.',
};

function sentence(entry: LedgerEntry): string {
  if (entry.kind === 'review-decided') {
    return entry.decision === 'link' ? 'A review found: one person.' : 'A review found: different people.';
  }
  return SENTENCES[entry.kind];
}

const ACTOR_KINDS = ['user', 'node', 'operator', 'system'] as const;

export function actorOf(entry: LedgerEntry): LedgerEntryView['actor'] {
  const kind = ACTOR_KINDS.find((candidate) => candidate === entry.actor.kind) ?? 'anonymous';
  return { kind, name: entry.actor.name, ...(entry.actor.id ? { id: entry.actor.id } : {}) };
}

export function ledgerView(entry: LedgerEntry): LedgerEntryView {
  return {
    entryId: entry.entryId,
    at: instant(entry.atMs),
    actor: actorOf(entry),
    kind: entry.kind,
    text: sentence(entry),
    goldenId: entry.goldenId,
    ...(entry.reason ? { reason: entry.reason } : {}),
    ...(entry.sourceId ? { sourceId: entry.sourceId } : {}),
    ...(entry.otherSourceId ? { otherSourceId: entry.otherSourceId } : {}),
    ...(entry.otherGoldenId ? { otherGoldenId: entry.otherGoldenId } : {}),
    ...(entry.score === undefined ? {} : { score: entry.score }),
    ...(entry.rule ? { rule: entry.rule } : {}),
    ...(entry.modelVersion ? { modelVersion: entry.modelVersion } : {}),
    ...(entry.undoes ? { undoes: entry.undoes } : {}),
  };
}

export interface ComparisonRow {
  readonly path: string;
  readonly label: string;
  readonly a?: string;
  readonly b?: string;
  readonly same: 'same' | 'similar' | 'different' | 'only-a' | 'only-b';
}

/** Two records line by line; repeated elements are joined into one line. */
export function compareFields(a: readonly FieldView[], b: readonly FieldView[]): ComparisonRow[] {
  const left = byPath(a);
  const right = byPath(b);
  const paths = [...new Set([...left.keys(), ...right.keys()])];
  return paths.map((path) => {
    const valueA = left.get(path);
    const valueB = right.get(path);
    return {
      path,
      label: labelOf(path),
      ...(valueA === undefined ? {} : { a: valueA }),
      ...(valueB === undefined ? {} : { b: valueB }),
      same: likeness(valueA, valueB),
    };
  });
}

function byPath(fields: readonly FieldView[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const { path, value } of fields) {
    const known = found.get(path);
    found.set(path, known === undefined ? value : `${known}; ${value}`);
  }
  return found;
}

function likeness(a: string | undefined, b: string | undefined): ComparisonRow['same'] {
  if (a === undefined) return 'only-b';
  if (b === undefined) return 'only-a';
  if (a === b) return 'same';
  const fold = (text: string) =>
    normalised(text, 'NFD')
      .replace(/\p{M}|[\s.,;()-]/gu, '')
      .toLowerCase();
  return fold(a) === fold(b) ? 'similar' : 'different';
}
