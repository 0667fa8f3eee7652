/** Takes over an OpenCR's patients: source records first, then the persons they belong to, with the ids they had. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { parseId, type ResourceId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { isProblem, Problem } from '../../kernel/problem.ts';
import type { Domains } from '../nodes/index.ts';
import { type AdoptedPerson, assertRegistrable, type Registry, type Submission } from '../registry/index.ts';
import { type OpenCrRecord, openCrRecord, submitted } from './patients.ts';

export interface OpenCrImportDeps {
  readonly registry: Pick<Registry, 'submit' | 'adopt'>;
  readonly domains: Pick<Domains, 'ensureForUsers'>;
}

export interface OpenCrImport {
  readonly file: string;
  /** The identifier system of each OpenCR client; others get `urn:opencr:client:<name>`. */
  readonly systems: ReadonlyMap<string, string>;
  readonly signal: AbortSignal;
  readonly onProgress: (read: number) => void;
}

export interface OpenCrSummary {
  readonly read: number;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly rejected: number;
  /** Persons whose id and records were taken over. */
  readonly persons: number;
  /** Former ids that go on leading to their person. */
  readonly redirects: number;
  /** Ids that are no UUIDs, and cannot be kept. */
  readonly renamed: number;
  readonly systems: readonly string[];
  /** Why records were rejected, by code: no value of any record. */
  readonly reasons: Readonly<Record<string, number>>;
}

const TOGETHER = 200;
const PERSONS_TOGETHER = 50;
const BUNDLE_BYTES_MAX = 512 * 1024 * 1024;
const REASON = 'linked in OpenCR';

type Source = Extract<OpenCrRecord, { kind: 'source' }>;

export async function importOpenCr(deps: OpenCrImportDeps, actor: Actor, what: OpenCrImport): Promise<OpenCrSummary> {
  const taking: Taking = {
    counts: { read: 0, created: 0, updated: 0, unchanged: 0, rejected: 0 },
    reasons: {},
    systems: new Set(),
    sources: new Map(),
  };
  const goldenOf = new Map<string, string>();
  const successors = new Map<string, string>();
  let waiting: Source[] = [];
  for await (const resource of resourcesIn(what.file)) {
    if (what.signal.aborted) throw interrupted();
    const record = openCrRecord(resource);
    if (record === undefined) continue;
    taking.counts.read += 1;
    if (record.kind === 'golden') {
      for (const member of record.members) if (!goldenOf.has(member)) goldenOf.set(member, record.id);
      if (record.replacedBy !== undefined) successors.set(record.id, record.replacedBy);
      continue;
    }
    if (record.golden !== undefined) goldenOf.set(record.id, record.golden);
    waiting.push(record);
    if (waiting.length < TOGETHER) continue;
    await take(deps, actor, { what, taking, batch: waiting });
    waiting = [];
    what.onProgress(taking.counts.read);
  }
  await take(deps, actor, { what, taking, batch: waiting });
  const { persons, renamed } = personsOf(taking.sources, goldenOf, successors);
  for (let at = 0; at < persons.length; at += PERSONS_TOGETHER)
    await deps.registry.adopt(actor, { persons: persons.slice(at, at + PERSONS_TOGETHER), reason: REASON });
  const redirects = persons.reduce((sum, { formerIds }) => sum + formerIds.length, 0);
  const { counts, reasons, systems } = taking;
  return { ...counts, persons: persons.length, redirects, renamed, systems: [...systems].sort(), reasons };
}

const interrupted = (): Problem =>
  new Problem('unavailable', 'interrupted', 'Interrupted. Give the same command again: nothing is taken over twice.');

/** What has been taken over so far. */
interface Taking {
  readonly counts: Record<'read' | 'created' | 'updated' | 'unchanged' | 'rejected', number>;
  readonly reasons: Record<string, number>;
  readonly systems: Set<string>;
  /** Our ids by OpenCR's. */
  readonly sources: Map<string, ResourceId>;
}

async function take(
  deps: OpenCrImportDeps,
  actor: Actor,
  { what, taking, batch }: { readonly what: OpenCrImport; readonly taking: Taking; readonly batch: readonly Source[] },
): Promise<void> {
  const { counts, reasons, systems, sources } = taking;
  const reject = (code: string): void => {
    counts.rejected += 1;
    reasons[code] = (reasons[code] ?? 0) + 1;
  };
  const ready: { readonly source: Source; readonly submission: Submission }[] = [];
  for (const source of batch) {
    const system = what.systems.get(source.client) ?? `urn:opencr:client:${encodeURIComponent(source.client)}`;
    systems.add(system);
    const domain = await deps.domains.ensureForUsers(system, actor);
    const { key, patient } = submitted(source, system);
    try {
      assertRegistrable(patient);
      ready.push({ source, submission: { kind: 'upsert', domain, key, patient } });
    } catch (error) {
      if (!isProblem(error)) throw error;
      reject(error.code);
    }
  }
  if (ready.length === 0) return;
  const submissions = ready.map(({ submission }) => submission);
  const { outcomes } = await deps.registry.submit(actor, submissions, { quietUnchanged: true });
  outcomes.forEach((outcome, index) => {
    const source = ready[index]?.source;
    if (outcome.status === 'refused') return reject(outcome.problem.code);
    if (outcome.status !== 'deleted') counts[outcome.status] += 1;
    if (source) sources.set(source.id, outcome.id);
  });
}

/** Persons by the id that stands for them now: a chain of merged ids is followed to its end. */
export function personsOf(
  sources: ReadonlyMap<string, ResourceId>,
  goldenOf: ReadonlyMap<string, string>,
  successors: ReadonlyMap<string, string>,
): { readonly persons: readonly AdoptedPerson[]; readonly renamed: number } {
  const last = (id: string): string => {
    const seen = new Set<string>();
    let at = id;
    for (let next = successors.get(at); next !== undefined && !seen.has(at); next = successors.get(at)) {
      seen.add(at);
      at = next;
    }
    return at;
  };
  const members = new Map<string, ResourceId[]>();
  for (const [openCrId, sourceId] of sources) {
    const golden = goldenOf.get(openCrId);
    if (golden === undefined) continue;
    const standing = last(golden);
    members.set(standing, [...(members.get(standing) ?? []), sourceId]);
  }
  const former = Map.groupBy(successors.keys(), (id) => last(id));
  let renamed = 0;
  const persons: AdoptedPerson[] = [];
  for (const [id, sourceIds] of members) {
    const goldenId = parseId<ResourceId>(id.toLowerCase());
    if (goldenId === undefined) {
      renamed += 1;
      continue;
    }
    const formerIds = (former.get(id) ?? [])
      .flatMap((one) => parseId<ResourceId>(one.toLowerCase()) ?? [])
      .filter((one) => one !== goldenId);
    persons.push({ goldenId, sourceIds, formerIds });
  }
  return { persons, renamed };
}

/** Resources of a Bundle (JSON) or of NDJSON, one per line; Bundles within lines are opened too. */
async function* resourcesIn(file: string): AsyncGenerator<unknown> {
  const whole = await wholeBundle(file);
  if (whole !== undefined) {
    yield* entriesOf(whole);
    return;
  }
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity })) {
    number += 1;
    const text = number === 1 ? line.replace(/^\ufeff/, '') : line;
    if (text.trim() !== '') yield* entriesOf(parsed(text, `line ${number}`));
  }
}

function entriesOf(value: unknown): unknown[] {
  const bundle = value as { resourceType?: unknown; entry?: unknown };
  if (bundle?.resourceType !== 'Bundle') return [value];
  return Array.isArray(bundle.entry) ? bundle.entry.map((entry: { resource?: unknown }) => entry?.resource) : [];
}

/** The file as one JSON document; undefined where its first line is one by itself (NDJSON). */
async function wholeBundle(file: string): Promise<unknown> {
  for await (const line of createInterface({
    input: createReadStream(file, { encoding: 'utf8', end: 16_777_216 }),
    crlfDelay: Infinity,
  })) {
    if (line.trim() === '') continue;
    // A line that is JSON by itself: lines follow, be they resources or Bundles, or there is one line only.
    if (isJson(line.replace(/^\ufeff/, ''))) return undefined;
    break;
  }
  const bytes = await readFile(file);
  if (bytes.byteLength > BUNDLE_BYTES_MAX)
    throw new Problem('too-large', 'file-too-large', 'A Bundle of this size is given as NDJSON, one resource a line.');
  return parsed(bytes.toString('utf8').replace(/^\ufeff/, ''), 'the file');
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function parsed(text: string, where: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new Problem(
      'invalid',
      'file-unreadable',
      `There is no JSON in ${where}. What came before it was taken over; nothing is lost.`,
      { cause },
    );
  }
}
