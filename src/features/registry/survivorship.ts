/**
 * Which value of several source records stands in the golden record. Pure: the same members give the same answer, whatever
 * their order. Nothing a source says is lost for searching: names, addresses, contacts and identifiers are united, single
 * values are chosen, and every choice says where it came from.
 */
import type { Patient } from '@medplum/fhirtypes';
import { canonicalJson } from '../../kernel/canonical-json.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import { isReplaced } from './replacement.ts';

export interface Member {
  readonly sourceId: ResourceId;
  readonly lastUpdatedMs: number;
  readonly patient: Patient;
}

export type SurvivorshipRule = 'united' | 'most-frequent' | 'most-precise' | 'newest' | 'ever-true' | 'only-value';

/** One element of the golden record with the sources that say it and those that say otherwise. */
export interface Provenance {
  readonly path: string;
  readonly value: unknown;
  readonly rule: SurvivorshipRule;
  readonly from: readonly ResourceId[];
  readonly alternatives: readonly { readonly value: unknown; readonly sourceId: ResourceId }[];
}

export interface GoldenDemographics {
  /** Without id and meta. */
  readonly patient: Patient;
  readonly provenance: readonly Provenance[];
}

const UNITED = ['identifier', 'name', 'telecom', 'address', 'communication', 'contact'] as const;
const NEWEST = ['maritalStatus', 'managingOrganization', 'generalPractitioner'] as const;

export function computeGolden(members: readonly Member[]): GoldenDemographics {
  const all = [...members].sort((x, y) => y.lastUpdatedMs - x.lastUpdatedMs || (x.sourceId < y.sourceId ? -1 : 1));
  // A record that its sender replaced says nothing of the person any more; its identifiers still lead to them.
  const standing = all.filter((m) => !isReplaced(m.patient));
  const newestFirst = standing.length === 0 ? all : standing;
  const patient: Record<string, unknown> = { resourceType: 'Patient', active: newestFirst.some(isActive) };
  const provenance: Provenance[] = [];
  const put = (choice: Provenance | undefined) => {
    if (!choice) return;
    patient[choice.path] = choice.value;
    provenance.push(choice);
  };
  for (const path of UNITED) {
    for (const choice of unite(path === 'identifier' ? all : newestFirst, path)) append(patient, provenance, choice);
  }
  put(chooseFrequent(newestFirst, 'gender', (value) => value !== 'unknown'));
  put(chooseBirthDate(newestFirst));
  put(chooseDeceased(newestFirst));
  put(
    chooseNewest(
      newestFirst,
      newestFirst.some((m) => m.patient.multipleBirthInteger !== undefined)
        ? 'multipleBirthInteger'
        : 'multipleBirthBoolean',
    ),
  );
  for (const path of NEWEST) put(chooseNewest(newestFirst, path));
  for (const choice of uniteExtensions(newestFirst)) append(patient, provenance, choice);
  // The element that Patient.link is for: the golden record names the records it stands for.
  patient['link'] = all.map((m) => ({
    other: { reference: `Patient/${m.sourceId}` },
    type: isReplaced(m.patient) ? 'replaces' : 'seealso',
  }));
  // Built element by element from validated Patients: every element has the type it had there.
  return { patient: patient as unknown as Patient, provenance };
}

function isActive(member: Member): boolean {
  return member.patient.active !== false;
}

function append(patient: Record<string, unknown>, provenance: Provenance[], choice: Provenance): void {
  const list = (patient[choice.path] ??= []) as unknown[];
  list.push(choice.value);
  provenance.push(choice);
}

function valueAt(member: Member, path: string): unknown {
  return (member.patient as unknown as Record<string, unknown>)[path];
}

/** Distinct entries of a repeating element: those that most sources say first, then the newest. */
function unite(newestFirst: readonly Member[], path: string): Provenance[] {
  const [only] = newestFirst;
  const values = newestFirst.length === 1 && only ? ((valueAt(only, path) as unknown[] | undefined) ?? []) : undefined;
  // Most people have one record, and most lists one entry: nothing to compare it with.
  if (only && values && values.length < 2) {
    return values.map((value) => ({ path, value, rule: 'united', from: [only.sourceId], alternatives: [] }));
  }
  const groups = new Map<string, { value: unknown; from: ResourceId[]; order: number }>();
  for (const member of newestFirst) {
    for (const value of (valueAt(member, path) as unknown[] | undefined) ?? []) {
      const key = comparable(path, value);
      const group = groups.get(key);
      if (!group) groups.set(key, { value, from: [member.sourceId], order: groups.size });
      else if (!group.from.includes(member.sourceId)) group.from.push(member.sourceId);
    }
  }
  const ordered = [...groups.values()].sort((x, y) => y.from.length - x.from.length || x.order - y.order);
  return ordered.map((group) => ({ path, value: group.value, rule: 'united', from: group.from, alternatives: [] }));
}

/** Two identifiers are one when system and value agree; the rest is compared without regard to case and outer blanks. */
function comparable(path: string, value: unknown): string {
  if (path === 'identifier') {
    const { system, value: text } = value as { system?: string; value?: string };
    return JSON.stringify([system ?? '', text ?? '']);
  }
  if (path === 'name') {
    const { given, family, text } = value as { given?: string[]; family?: string; text?: string };
    return JSON.stringify([given ?? [], family ?? '', given || family ? '' : (text ?? '')]).toLowerCase();
  }
  if (path === 'telecom') {
    const { system, value: text } = value as { system?: string; value?: string };
    return JSON.stringify([system ?? '', (text ?? '').replace(/[\s().-]/g, '').toLowerCase()]);
  }
  return canonicalJson(value).toLowerCase();
}

function uniteExtensions(newestFirst: readonly Member[]): Provenance[] {
  const byUrl = new Map<string, Provenance>();
  for (const member of newestFirst) {
    for (const extension of member.patient.extension ?? []) {
      if (!byUrl.has(extension.url)) {
        byUrl.set(extension.url, {
          path: 'extension',
          value: extension,
          rule: 'newest',
          from: [member.sourceId],
          alternatives: [],
        });
      }
    }
  }
  return [...byUrl.values()];
}

interface Vote {
  value: unknown;
  from: ResourceId[];
}

function votes(newestFirst: readonly Member[], path: string, counts: (value: unknown) => boolean): Vote[] {
  const found: Vote[] = [];
  for (const member of newestFirst) {
    const value = valueAt(member, path);
    if (value === undefined || !counts(value)) continue;
    const vote = found.find((candidate) => canonicalJson(candidate.value) === canonicalJson(value));
    if (vote) vote.from.push(member.sourceId);
    else found.push({ value, from: [member.sourceId] });
  }
  return found;
}

function choice(path: string, found: readonly Vote[], rule: SurvivorshipRule): Provenance | undefined {
  const winner = found[0];
  if (!winner) return undefined;
  const alternatives = found.slice(1).flatMap((vote) => vote.from.map((sourceId) => ({ value: vote.value, sourceId })));
  return { path, value: winner.value, rule: found.length === 1 ? 'only-value' : rule, from: winner.from, alternatives };
}

function chooseFrequent(
  newestFirst: readonly Member[],
  path: string,
  informative: (value: unknown) => boolean,
): Provenance | undefined {
  let found = votes(newestFirst, path, informative);
  if (found.length === 0) found = votes(newestFirst, path, () => true);
  // sort is stable: among equals the newest source stays first.
  return choice(
    path,
    [...found].sort((x, y) => y.from.length - x.from.length),
    'most-frequent',
  );
}

/** A full date beats a year; among equally precise ones the most frequent, then the newest. */
function chooseBirthDate(newestFirst: readonly Member[]): Provenance | undefined {
  const found = votes(newestFirst, 'birthDate', () => true);
  const precision = (vote: Vote) => String(vote.value).length;
  const sorted = [...found].sort((x, y) => precision(y) - precision(x) || y.from.length - x.from.length);
  const rule = new Set(found.map(precision)).size > 1 ? 'most-precise' : 'most-frequent';
  return choice('birthDate', sorted, rule);
}

/** Once a source knows of a death it stands, the one with a date first; "not deceased" never overrules it. */
function chooseDeceased(newestFirst: readonly Member[]): Provenance | undefined {
  const dated = votes(newestFirst, 'deceasedDateTime', () => true);
  if (dated.length > 0) return choice('deceasedDateTime', dated, 'ever-true');
  const flags = votes(newestFirst, 'deceasedBoolean', () => true);
  return choice(
    'deceasedBoolean',
    [...flags].sort((x, y) => Number(y.value) - Number(x.value)),
    'ever-true',
  );
}

function chooseNewest(newestFirst: readonly Member[], path: string): Provenance | undefined {
  return choice(
    path,
    votes(newestFirst, path, () => true),
    'newest',
  );
}
