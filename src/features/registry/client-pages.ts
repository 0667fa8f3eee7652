/** What the client and review pages read: golden record, sources, why they are linked, history. */
import type { ResourceId, ReviewId, UserId } from '../../kernel/ids.ts';
import type { Principal } from '../../kernel/principal.ts';
import { instant } from '../../kernel/time.ts';
import type { StoredResource } from '../../store/model.ts';
import { fitting } from './altered.ts';
import { pairKey, type SourceState } from './batch-state.ts';
import { patientOf } from './content.ts';
import type { DomainTable } from './deps.ts';
import { displayName, fieldsOf, systemLabel } from './fields.ts';
import { openLedger } from './ledger.ts';
import type { LedgerEntry } from './model.ts';
import { clientDeleted, clientNotFound, reviewNotFound } from './problems.ts';
import {
  type QueuedReview,
  type QueuePosition,
  type QueueView,
  readQueue,
  readQueueNeighbours,
} from './review-queue.ts';
import { readLedger, readReview, readWaitingReviewsOf } from './review-store.ts';
import type { RoundDeps } from './round-loading.ts';
import { type Person, readPerson } from './person.ts';
import { visibleAmong } from './seen.ts';
import { type GoldenRow, readGoldens, readNeverLinks, readSources, type SourceRow } from './store.ts';
import { computeGolden, type Member, type Provenance } from './survivorship.ts';
import { actorOf, compareFields, demographicsOf, ledgerView, summaryOf } from './views.ts';
import type { ClientDetailReply, LedgerEntryView, ReviewDetailReply, ReviewSummary, SourceView } from './wire.ts';
import { storedKey } from './own-key.ts';
import { withinReach } from './visibility.ts';
import type { Within } from './within.ts';

/** Pairs scored for the identity graph of one client; beyond that the picture could not be read anyway. */
const GRAPH_SOURCES_MAX = 25;

interface OpenedSource {
  readonly state: SourceState;
  readonly stored: StoredResource;
}

export async function clientDetail(
  deps: RoundDeps,
  principal: Principal,
  id: ResourceId,
): Promise<Omit<ClientDetailReply, 'reviewsOpen'> & { reviewsOpen: number }> {
  const within = await withinReach(deps, principal, 'client.read');
  const person = await readPerson(deps, id, within);
  if (!person) throw clientNotFound();
  const { golden } = person;
  if (golden.deleted) throw clientDeleted();
  const opened = openRows(deps, person.sources, person.contents);
  const [ledger, domains] = await Promise.all([clientLedger(deps, person), deps.domains.table()]);
  const members = opened.map(memberOf);
  const stored = person.contents.get(id);
  if (!stored) throw clientNotFound();
  const own = opened.filter((one) => isWithin(one, within));
  const sources = own.map((one) => sourceViewOf(one, { keyRing: deps.keyRing, domains, ledger }));
  const labels = new Map(
    sources.map((one) => [one.id as ResourceId, { domainLabel: one.domainLabel, updatedAt: one.updatedAt }]),
  );
  const ids = own.map((one) => one.state.id);
  const shown = new Set(ids);
  const reviews = await withinReach(deps, principal, 'review.read');
  const provenance = members.length === 0 ? [] : computeGolden(members).provenance;
  return {
    client: {
      id,
      version: golden.version,
      active: golden.replaced_by === null,
      ...((await fitting(deps, [golden])).length === 0 ? { altered: true as const } : {}),
      ...(golden.replaced_by ? { replacedBy: await finalGolden(deps, golden) } : {}),
      name: summaryOf(stored).name,
      updatedAt: instant(golden.updated_at.getTime()),
      demographics: demographicsOf(
        within === undefined ? provenance : provenance.map((one) => ownPart(one, shown)),
        labels,
      ),
    },
    sources,
    sourcesElsewhere: opened.length - own.length,
    links: explainPairs(deps, own.slice(0, GRAPH_SOURCES_MAX)),
    ledger: ownEntries(ledger, within === undefined ? undefined : shown)
      .toReversed()
      .map(ledgerView),
    reviewsOpen: ids.length === 0 ? 0 : (await readWaitingReviewsOf(deps.database, ids, reviews)).length,
    // Several decisions may keep one pair apart: it is shown once.
    neverLinked: [
      ...new Map((await readNeverLinks(deps.database, ids)).map((row) => [pairKey(row.a, row.b), row])).values(),
    ]
      .filter((row) => within === undefined || (shown.has(row.a) && shown.has(row.b)))
      .map((row) => ({ a: row.a, b: row.b, entryId: row.entry_id })),
  };
}

const isWithin = (opened: OpenedSource, within: Within | undefined): boolean =>
  within === undefined || within.domainIds.includes(opened.state.domainId);

/** The value stands for everybody who sees the client; which record of another organisation says so, or says otherwise, does not. */
function ownPart(one: Provenance, shown: ReadonlySet<ResourceId>): Provenance {
  return {
    ...one,
    from: one.from.filter((id) => shown.has(id)),
    alternatives: one.alternatives.filter(({ sourceId }) => shown.has(sourceId)),
  };
}

/** What happened to the records shown; names of who acted in other organisations stay there. */
function ownEntries(
  ledger: readonly LedgerEntry[],
  shown: ReadonlySet<ResourceId> | undefined,
): readonly LedgerEntry[] {
  if (shown === undefined) return ledger;
  return ledger.filter(
    ({ sourceId, otherSourceId }) =>
      sourceId !== undefined && shown.has(sourceId) && (otherSourceId === undefined || shown.has(otherSourceId)),
  );
}

/** Follows redirects to the golden record that stands now. Chains are short; a loop cannot be made, and would end here. */
async function finalGolden(deps: RoundDeps, from: GoldenRow): Promise<ResourceId> {
  let current = from;
  for (let hops = 0; hops < 32 && current.replaced_by !== null; hops++) {
    const next: GoldenRow | undefined = (await readGoldens(deps.database, [current.replaced_by]))[0];
    if (!next) break;
    current = next;
  }
  return current.golden_id;
}

async function openSources(deps: RoundDeps, rows: readonly SourceRow[]): Promise<OpenedSource[]> {
  const stored = await deps.resources.read(
    deps.database,
    'Patient',
    rows.map((row) => row.source_id),
  );
  return openRows(deps, rows, stored);
}

function openRows(
  deps: Pick<RoundDeps, 'records'>,
  rows: readonly SourceRow[],
  stored: ReadonlyMap<ResourceId, StoredResource>,
): OpenedSource[] {
  const opened = rows.flatMap((row) => {
    const one = stored.get(row.source_id);
    return one?.content ? [{ state: deps.records.open(row), stored: one }] : [];
  });
  return opened.sort((x, y) => y.stored.lastUpdatedMs - x.stored.lastUpdatedMs);
}

function patientIn(opened: OpenedSource) {
  if (!opened.stored.content) throw clientDeleted();
  return patientOf(opened.stored.content);
}

function memberOf(opened: OpenedSource): Member {
  return { sourceId: opened.state.id, lastUpdatedMs: opened.stored.lastUpdatedMs, patient: patientIn(opened) };
}

function explainPairs(deps: RoundDeps, opened: readonly OpenedSource[]): ClientDetailReply['links'] {
  const links: ClientDetailReply['links'] = [];
  for (const [index, a] of opened.entries()) {
    for (const b of opened.slice(index + 1)) {
      const explanation = deps.matcher.explain(a.state.prepared, b.state.prepared);
      links.push({
        a: a.state.id,
        b: b.state.id,
        explanation: {
          ...explanation,
          fields: [...explanation.fields],
          contradictions: [...explanation.contradictions],
        },
      });
    }
  }
  return links;
}

async function clientLedger(deps: RoundDeps, { golden, sources }: Person): Promise<LedgerEntry[]> {
  const rows = await readLedger(
    deps.database,
    [golden.golden_id],
    sources.map((row) => row.source_id),
  );
  return openLedger(deps, rows);
}

export async function clientHistory(deps: RoundDeps, principal: Principal, id: ResourceId): Promise<LedgerEntryView[]> {
  const within = await withinReach(deps, principal, 'client.read');
  const person = await readPerson(deps, id, within);
  if (!person) throw clientNotFound();
  const own = person.sources.filter((row) => within?.domainIds.includes(row.domain_id));
  const shown = within && new Set(own.map((row) => row.source_id));
  return ownEntries(await clientLedger(deps, person), shown)
    .toReversed()
    .map(ledgerView);
}

const PLACING = ['created', 'linked', 'unlinked', 'merged', 'unmerged', 'review-decided'] as const;

function placedBy(ledger: readonly LedgerEntry[], id: ResourceId): LedgerEntry | undefined {
  return ledger.findLast((entry) => {
    if (!PLACING.some((kind) => kind === entry.kind)) return false;
    const moved = entry.moved?.includes(id) ?? false;
    return entry.kind === 'review-decided' ? moved : entry.sourceId === id || moved;
  });
}

function sourceViewOf(
  opened: OpenedSource,
  context: {
    readonly keyRing: RoundDeps['keyRing'];
    readonly domains: DomainTable;
    readonly ledger: readonly LedgerEntry[];
  },
): SourceView {
  const patient = patientIn(opened);
  const domain = context.domains.byId(opened.state.domainId);
  const key = domain && storedKey(context.keyRing, patient, { ...opened.state, system: domain.system });
  const entry = placedBy(context.ledger, opened.state.id);
  return {
    id: opened.state.id,
    domain: domain?.system ?? '',
    domainLabel: domain ? (domain.ownerNodeName ?? systemLabel(domain.system)) : 'unknown',
    ...(domain?.ownerNodeName ? { node: domain.ownerNodeName } : {}),
    ...(key ? { key } : {}),
    version: opened.state.version,
    updatedAt: instant(opened.stored.lastUpdatedMs),
    fields: fieldsOf(patient),
    ...(entry ? { linkedBy: linkedBy(entry) } : {}),
  };
}

function linkedBy(entry: LedgerEntry): NonNullable<SourceView['linkedBy']> {
  return {
    entryId: entry.entryId,
    at: instant(entry.atMs),
    actor: actorOf(entry),
    kind: entry.kind,
    ...(entry.rule ? { rule: entry.rule } : {}),
    ...(entry.score === undefined ? {} : { score: entry.score }),
    ...(entry.modelVersion ? { modelVersion: entry.modelVersion } : {}),
    ...(entry.reason ? { reason: entry.reason } : {}),
  };
}

export async function reviewPage(
  deps: RoundDeps,
  view: QueueView,
  page: { readonly after?: QueuePosition | undefined; readonly limit: number },
): Promise<{ readonly reviews: ReviewSummary[]; readonly next?: QueuePosition }> {
  const rows = await readQueue(deps.database, view, { after: page.after, limit: page.limit + 1 });
  const shown = rows.slice(0, page.limit);
  const last = shown.at(-1);
  const reviews = await summarise(deps, await seenPairs(deps, shown, view.within), view.user);
  return { reviews, ...(rows.length > page.limit && last ? { next: { id: last.review_id, score: last.score } } : {}) };
}

/** Pairs of which both records are in reach, by rows that fit. */
async function seenPairs<R extends Pick<QueuedReview, 'a' | 'b'>>(
  deps: RoundDeps,
  rows: readonly R[],
  within: Within | undefined,
): Promise<readonly R[]> {
  if (within === undefined) return rows;
  const seen = await visibleAmong(deps, deps.database, { ids: rows.flatMap(({ a, b }) => [a, b]), within });
  return rows.filter(({ a, b }) => seen.has(a) && seen.has(b));
}

/** Reviews with both sides' names. A pair of which one record is gone is left out: it needs nobody any more. */
export async function summarise(
  deps: RoundDeps,
  rows: readonly QueuedReview[],
  user: UserId | undefined,
): Promise<ReviewSummary[]> {
  const ids = [...new Set(rows.flatMap((row) => [row.a, row.b]))];
  const [sources, domains, workers] = await Promise.all([
    readSources(deps.database, ids),
    deps.domains.table(),
    workersOf(deps, rows, user),
  ]);
  const opened = new Map((await openSources(deps, sources)).map((one) => [one.state.id, one]));
  return rows.flatMap((row) => {
    const a = opened.get(row.a);
    const b = opened.get(row.b);
    return a && b ? [reviewSummaryOf(row, { a: sideOf(a, domains), b: sideOf(b, domains) }, workers)] : [];
  });
}

function sideOf(opened: OpenedSource, domains: DomainTable): ReviewSummary['a'] {
  const patient = patientIn(opened);
  const domain = domains.byId(opened.state.domainId);
  return {
    sourceId: opened.state.id,
    clientId: opened.state.goldenId,
    domainLabel: domain ? (domain.ownerNodeName ?? systemLabel(domain.system)) : 'unknown',
    name: displayName(patient.name?.[0]) || 'No name recorded',
    ...(patient.birthDate ? { birthDate: patient.birthDate } : {}),
    ...(patient.gender ? { gender: patient.gender } : {}),
  };
}

/** Tells people of the queue apart by name, and knows who asks. */
type Workers = (id: UserId) => { readonly id: UserId; readonly name: string; readonly isMe: boolean };

async function workersOf(deps: RoundDeps, rows: readonly QueuedReview[], user: UserId | undefined): Promise<Workers> {
  const ids = [...new Set(rows.flatMap((row) => [row.assignee ?? [], row.proposed_by ?? []].flat()))];
  const names = ids.length === 0 ? undefined : await deps.userNames?.(ids);
  return (id) => ({ id, name: names?.get(id) ?? 'a colleague', isMe: id === user });
}

function reviewSummaryOf(
  row: QueuedReview,
  sides: { readonly a: ReviewSummary['a']; readonly b: ReviewSummary['b'] },
  workers: Workers,
): ReviewSummary {
  return {
    id: row.review_id,
    state: row.state,
    createdAt: instant(row.created_at.getTime()),
    score: row.score,
    grade: gradeOf(row.grade),
    cause: row.cause,
    ...sides,
    ...(row.decision ? { decision: row.decision } : {}),
    ...(row.decided_at ? { decidedAt: instant(row.decided_at.getTime()) } : {}),
    ...(row.assignee ? { assignee: workers(row.assignee) } : {}),
    ...(row.proposed_by ? { proposedBy: proposerOf(workers(row.proposed_by)) } : {}),
  };
}

function proposerOf({ name, isMe }: ReturnType<Workers>) {
  return { name, isMe };
}

const GRADES = ['certain', 'probable', 'possible', 'certainly-not'] as const;

function gradeOf(text: string): ReviewSummary['grade'] {
  return GRADES.find((grade) => grade === text) ?? 'possible';
}

export async function reviewDetail(
  deps: RoundDeps,
  id: ReviewId,
  seen: Omit<QueueView, 'state'>,
): Promise<Omit<ReviewDetailReply, 'counts'>> {
  const { within } = seen;
  const row = await readReview(deps.database, id);
  if (!row || (await seenPairs(deps, [row], within)).length === 0) throw reviewNotFound();
  const [opened, domains] = await Promise.all([
    openSources(deps, await readSources(deps.database, [row.a, row.b])),
    deps.domains.table(),
  ]);
  const a = opened.find((one) => one.state.id === row.a);
  const b = opened.find((one) => one.state.id === row.b);
  if (!a || !b) throw reviewNotFound();
  const ledger = openLedger(deps, await readLedger(deps.database, [], [row.a, row.b]));
  const neighbours = await readQueueNeighbours(deps.database, { ...seen, state: row.state }, { id, score: row.score });
  const workers = await workersOf(deps, [row], seen.user);
  const context = { keyRing: deps.keyRing, domains, ledger };
  const sourceA = sourceViewOf(a, context);
  const sourceB = sourceViewOf(b, context);
  const explanation = deps.matcher.explain(a.state.prepared, b.state.prepared);
  return {
    review: {
      ...reviewSummaryOf(row, { a: sideOf(a, domains), b: sideOf(b, domains) }, workers),
      explanation: { ...explanation, fields: [...explanation.fields], contradictions: [...explanation.contradictions] },
      comparison: compareFields(sourceA.fields, sourceB.fields),
      sourceA,
      sourceB,
    },
    ...(neighbours.next ? { next: neighbours.next } : {}),
    ...(neighbours.previous ? { previous: neighbours.previous } : {}),
  };
}

/** Two records side by side, without what was thought of them. Undefined when one of them is gone. */
export async function pairView(
  deps: RoundDeps,
  left: ResourceId,
  right: ResourceId,
): Promise<
  | {
      readonly a: ReviewSummary['a'];
      readonly b: ReviewSummary['a'];
      readonly comparison: ReturnType<typeof compareFields>;
    }
  | undefined
> {
  const [opened, domains] = await Promise.all([
    openSources(deps, await readSources(deps.database, [left, right])),
    deps.domains.table(),
  ]);
  const a = opened.find((one) => one.state.id === left);
  const b = opened.find((one) => one.state.id === right);
  if (!a || !b) return undefined;
  const context = { keyRing: deps.keyRing, domains, ledger: [] };
  const comparison = compareFields(sourceViewOf(a, context).fields, sourceViewOf(b, context).fields);
  return { a: sideOf(a, domains), b: sideOf(b, domains), comparison };
}
