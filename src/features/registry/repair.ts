/**
 * Mends persons whose rows somebody has changed past Careseal, as far as what they were can be decided safely (repair-plan.ts). Each in a
 * transaction of its own, with an entry in its history and an audit event; what cannot be decided stays refused, and is told.
 */
import type { ResourceId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { statement, type Transaction } from '../../platform/db/sql.ts';
import { RoundState } from './batch-state.ts';
import { kindOf, patientOf } from './content.ts';
import { examine, type PersonFaults, saidBy } from './examine.ts';
import { goldenWrite } from './golden.ts';
import { ledgerActor } from './ledger.ts';
import { matchRecordOf } from './match-record.ts';
import { type Newest, newestSealed, readHeld } from './newest.ts';
import { ownIdentifier, storedKey } from './own-key.ts';
import { keyTokenOf, opensRecord } from './records.ts';
import { type NotMended, type Plan, type PlannedMember, planOf, type RepairEvidence } from './repair-plan.ts';
import { loadPatients, type RoundDeps } from './round-loading.ts';
import { addBlockingKeys, removeSources, writeSources } from './round-store.ts';
import { writeRound } from './round-writing.ts';
import { readGoldens, readSources, readSourcesOfGoldens, type SourceRow, takeRegistryLock } from './store.ts';

export interface RepairOptions {
  readonly evidence: RepairEvidence;
  /** Missing: nothing is written, what would be done is answered. */
  readonly apply?: { readonly actor: Actor; readonly reason: string };
  readonly signal?: AbortSignal;
  readonly onProgress?: (persons: number) => void;
}

/** What became of a person, or would. */
export type Repaired =
  | {
      readonly goldenId: ResourceId;
      readonly outcome: 'mended' | 'would-mend';
      readonly basis: Plan['basis'];
      /** Records that nothing proves a domain of: seen by central people alone, until they come again or a steward shares the client. */
      readonly unplaced: readonly ResourceId[];
      readonly records: number;
    }
  | { readonly goldenId: ResourceId; readonly outcome: 'cannot'; readonly why: NotMended };

/** Ends the transaction of a person that cannot be mended; the others go on. */
class CannotMend extends Error {
  readonly why: NotMended;
  constructor(why: NotMended) {
    super(why);
    this.why = why;
  }
}

export async function repairPersons(
  deps: RoundDeps,
  persons: readonly PersonFaults[],
  options: RepairOptions,
): Promise<Repaired[]> {
  const claims = await claimsOf(deps, persons);
  const faulty = new Map(persons.map(({ goldenId, faults }) => [goldenId, faults]));
  // Records that belong to nobody come with the person whose content names them.
  const ids = new Set(
    persons.flatMap(({ goldenId, faults }) => [goldenId, ...faults.map(({ id }) => claims.get(id) ?? goldenId)]),
  );
  const repaired: Repaired[] = [];
  for (const goldenId of ids) {
    if (options.signal?.aborted === true) break;
    if (await isClaimedRecord(deps, goldenId, claims)) continue;
    const ofDomain = faulty.get(goldenId)?.every(({ kind }) => kind === 'domain-altered') === true;
    repaired.push(
      ofDomain
        ? { goldenId, outcome: 'cannot', why: 'domain-altered' }
        : await repairOne({ ...deps }, { goldenId, claims }, options),
    );
    options.onProgress?.(repaired.length);
  }
  return repaired;
}

type Claims = ReadonlyMap<ResourceId, ResourceId>;

/** Which person each record belongs to, as the sealed contents of the persons that are at fault say. */
async function claimsOf(deps: RoundDeps, persons: readonly PersonFaults[]): Promise<Claims> {
  const claims = new Map<ResourceId, ResourceId>();
  for (const { goldenId } of persons) {
    const newest = await newestSealed(deps, deps.database, goldenId);
    const patient = newest === undefined ? undefined : patientOf(newest.content);
    if (patient === undefined || kindOf(patient) !== 'golden') continue;
    for (const id of saidBy(patient).members) claims.set(id, goldenId);
  }
  return claims;
}

/** A source record whose row was deleted is found by its content: it comes back with its person. */
const isClaimedRecord = async (deps: RoundDeps, id: ResourceId, claims: Claims): Promise<boolean> =>
  claims.has(id) && (await readGoldens(deps.database, [id])).length === 0;

interface One {
  readonly goldenId: ResourceId;
  readonly claims: Claims;
}

async function repairOne(deps: RoundDeps, { goldenId, claims }: One, options: RepairOptions): Promise<Repaired> {
  const { apply, evidence } = options;
  try {
    return await deps.database.transaction(async (tx) => {
      await takeRegistryLock(tx);
      const plan = await planOf(deps, tx, goldenId, evidence);
      if ('cannot' in plan) throw new CannotMend(plan.cannot);
      const members = await assertFree(deps, tx, plan);
      if (apply !== undefined) await mend(deps, tx, { plan, members, claims, apply, evidence });
      return {
        ...{ goldenId, basis: plan.basis, records: plan.members.length },
        outcome: apply === undefined ? ('would-mend' as const) : ('mended' as const),
        unplaced: plan.members.filter(({ domainId }) => domainId === undefined).map(({ id }) => id),
      };
    });
  } catch (error) {
    if (error instanceof CannotMend) return { goldenId, outcome: 'cannot', why: error.why };
    throw error;
  }
}

/** A planned record with its sealed content, which is the version that the store has now. */
interface HeldMember extends PlannedMember {
  readonly newest: Newest;
  readonly row: SourceRow | undefined;
}

/** Throws CannotMend where a record's newest content is lost, or another person whose row fits has the record. */
async function assertFree(deps: RoundDeps, tx: Transaction, plan: Plan): Promise<HeldMember[]> {
  const ids = plan.members.map(({ id }) => id);
  const rows = new Map((await readSources(tx, ids)).map((row) => [row.source_id, row]));
  const held = await readHeld(deps, tx, ids);
  const elsewhere = [...rows.values()].map((row) => row.golden_id).filter((id) => id !== plan.goldenId);
  const others = await readGoldens(tx, elsewhere);
  const atFault = new Set((await examine(deps, tx, others)).map(({ goldenId }) => goldenId));
  if (others.some((other) => !atFault.has(other.golden_id))) throw new CannotMend('claimed-twice');
  const members: HeldMember[] = [];
  for (const member of plan.members) {
    const newest = await newestSealed(deps, tx, member.id);
    const now = held.get(member.id);
    if (newest === undefined || now === undefined || now === 'broken' || now.version !== newest.version)
      throw new CannotMend('record-content-lost');
    if (plan.basis === 'binding' && plan.bound.get(member.id) !== newest.version)
      throw new CannotMend('record-content-lost');
    members.push({ ...member, newest, row: rows.get(member.id) });
  }
  return members;
}

interface Mending {
  readonly plan: Plan;
  readonly members: readonly HeldMember[];
  readonly claims: Claims;
  readonly apply: { readonly actor: Actor; readonly reason: string };
  readonly evidence: RepairEvidence;
}

async function mend(deps: RoundDeps, tx: Transaction, mending: Mending): Promise<void> {
  const { plan, members, apply, evidence } = mending;
  await sendAway(deps, tx, mending);
  const state = new RoundState();
  for (const member of members) state.add(deps.records.open(await putRow(deps, tx, { member, plan, evidence })));
  const nowMs = deps.clock.nowMs();
  const golden = state.golden(plan.goldenId);
  Object.assign(golden, {
    ...{ storedVersion: plan.version, touched: true, known: true, loaded: true, whole: true, shareChanged: true },
    ...{ organisations: plan.organisations, sharedWith: plan.sharedWith },
    ...(plan.replacedBy === undefined ? {} : { replacedBy: plan.replacedBy }),
  });
  await putContent(deps, tx, { state, plan, nowMs });
  const how = plan.basis === 'binding' ? 'as it was' : 'from its sealed contents';
  const { actor, reason } = apply;
  state.ledger.push({
    ...{ kind: 'repaired', goldenId: plan.goldenId },
    detail: { actor: ledgerActor(actor), reason, rule: how },
  });
  await writeRound(deps, tx, { state, nowMs });
  const rows = await readGoldens(tx, [plan.goldenId]);
  if (rows.length === 0 || (await examine(deps, tx, rows)).length > 0) throw new CannotMend('still-at-fault');
  const unplaced = members.filter(({ domainId }) => domainId === undefined).length;
  await deps.audit.record(tx, [
    {
      ...{ actor, event: 'registry.repair', action: 'U', outcome: 'success', reason },
      patients: [`Patient/${plan.goldenId}`],
      detail: { basis: plan.basis, records: String(members.length), unplaced: String(unplaced) },
    },
  ]);
}

/** Records that were put to this person: each goes back to the one whose content names it; one without content was made up. */
async function sendAway(deps: RoundDeps, tx: Transaction, { plan, claims }: Mending): Promise<void> {
  const own = new Set(plan.members.map(({ id }) => id));
  for (const { source_id: id } of await readSourcesOfGoldens(tx, [plan.goldenId])) {
    if (own.has(id)) continue;
    const owner = claims.get(id);
    if (owner !== undefined && owner !== plan.goldenId) await tx.run(fileElsewhere, [id, owner]);
    else if ((await newestSealed(deps, tx, id)) === undefined) await removeSources(tx, [id]);
    else throw new CannotMend('foreign-record');
  }
}

const fileElsewhere = statement(
  'registry.repair-file',
  'UPDATE registry.source SET golden_id = $2 WHERE source_id = $1',
);

interface PuttingRow {
  readonly member: HeldMember;
  readonly plan: Plan;
  readonly evidence: RepairEvidence;
}

/** The record's row as its sealed content and what is proven of it say. */
async function putRow(deps: RoundDeps, tx: Transaction, { member, plan, evidence }: PuttingRow): Promise<SourceRow> {
  const { id, newest, row } = member;
  const patient = patientOf(newest.content);
  const domainId = member.domainId ?? (await evidence.unplaced());
  const record = matchRecordOf(patient);
  const kept = row !== undefined && row.version === newest.version && opensRecord(deps.keyRing, row);
  const whole: SourceRow = {
    ...{ source_id: id, golden_id: plan.goldenId, domain_id: domainId, version: newest.version },
    key_token: await keyTokenFor(deps, { patient, domainId, row }),
    // A steward may have placed a record whose row is gone: no model is to move it.
    pinned: row?.pinned ?? true,
    match_record: kept ? row.match_record : deps.records.seal(id, newest.version, record),
  };
  // A record stays in its domain for ever: what is written over a row leaves that column as it is.
  await removeSources(tx, [id]);
  await writeSources(tx, [whole]);
  const tokens = new Set(deps.records.blindKeys(deps.records.prepared(whole)));
  await addBlockingKeys(
    tx,
    Array.from(tokens, (token) => ({ token, sourceId: id })),
  );
  return whole;
}

interface Keyed {
  readonly patient: ReturnType<typeof patientOf>;
  readonly domainId: number;
  readonly row: SourceRow | undefined;
}

/** The identifier that named it, where its row still says so; else the first of its domain. */
async function keyTokenFor({ keyRing, domains }: RoundDeps, { patient, domainId, row }: Keyed): Promise<bigint | null> {
  const system = (await domains.table()).byId(domainId)?.system;
  if (system === undefined) return null;
  const key =
    storedKey(keyRing, patient, { domainId, system, keyToken: row?.key_token ?? null }) ??
    ownIdentifier(patient, system);
  return key === undefined ? null : keyTokenOf(keyRing, domainId, key);
}

interface PuttingContent {
  readonly state: RoundState;
  readonly plan: Plan;
  readonly nowMs: number;
}

/** Where the store does not have the version that the repaired one follows, it is made again: it is computed from the records. */
async function putContent(deps: RoundDeps, tx: Transaction, { state, plan, nowMs }: PuttingContent): Promise<void> {
  const { goldenId, version } = plan;
  const held = (await readHeld(deps, tx, [goldenId])).get(goldenId);
  if (held !== undefined && held !== 'broken' && held.version === version) return;
  const golden = state.golden(goldenId);
  await loadPatients(deps, tx, state, golden.members);
  const before = { ...golden, storedVersion: version - 1 };
  await deps.resources.putBack(tx, goldenWrite(deps, state, { golden: before, nowMs }));
}
