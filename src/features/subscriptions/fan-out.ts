/** From changes to deliveries: who is to be told what. One at a time over all processes, exactly once. */
import type { Patient } from '@medplum/fhirtypes';
import { newId } from '../../crypto/index.ts';
import { parseStoredJson } from '../../fhir/index.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import type { SystemPrincipal } from '../../kernel/principal.ts';
import type { ChangeNote } from '../registry/index.ts';
import type { SubscriptionDeps } from './deps.ts';
import type { DeliveryId, SubscriptionId } from './model.ts';
import { type Criteria, criteriaOf } from './rules.ts';
import { openSubscription } from './sealing.ts';
import { ACTIVATE, END, ENQUEUE, LISTENING, LOCK_FAN_OUT, REPLACED_LAST } from './store.ts';

const CHANGES_AT_ONCE = 500;

/** Careseal reads on behalf of those it delivers to. */
export const READER: SystemPrincipal = { kind: 'system', permissions: new Set(['client.read']) };

interface Listening {
  readonly id: SubscriptionId;
  readonly criteria: Criteria;
}

/** Takes the next changes; true when there may be more. */
export async function fanOut(deps: SubscriptionDeps): Promise<boolean> {
  const { database, changes, clock } = deps;
  return database.transaction(async (tx) => {
    await tx.rows(LOCK_FAN_OUT);
    const now = new Date(clock.nowMs());
    await tx.run(ACTIVATE, [now]);
    await tx.run(END, [now]);
    const next = await changes.next(tx, CHANGES_AT_ONCE);
    if (next.length === 0) return false;
    const listening = await listeners(deps, tx);
    const newest = newestOf(next);
    const rows = listening.length === 0 ? [] : await concerned(deps, newest, listening);
    if (rows.length > 0) {
      await tx.run(ENQUEUE, [
        rows.map(() => newId<DeliveryId>()),
        rows.map((row) => row.id),
        rows.map((row) => row.goldenId),
        rows.map((row) => row.version),
        now,
      ]);
      const replaced = rows.filter((row) => row.isReplaced);
      if (replaced.length > 0)
        await tx.run(REPLACED_LAST, [replaced.map((row) => row.id), replaced.map((row) => row.goldenId)]);
    }
    await changes.forget(tx, next);
    return next.length === CHANGES_AT_ONCE;
  });
}

/** Each record's newest version, in the order of the newest changes. */
function newestOf(notes: readonly ChangeNote[]): Map<ResourceId, number> {
  const newest = new Map<ResourceId, number>();
  for (const { goldenId, version } of notes) {
    const known = newest.get(goldenId) ?? 0;
    newest.delete(goldenId);
    newest.set(goldenId, Math.max(known, version));
  }
  return newest;
}

async function listeners(
  deps: SubscriptionDeps,
  tx: Parameters<SubscriptionDeps['changes']['next']>[0],
): Promise<Listening[]> {
  const rows = await tx.rows(LISTENING);
  return rows.map((row) => {
    const { resource } = openSubscription(deps.keyRing, row);
    return { id: row.id, criteria: criteriaOf(resource.criteria ?? 'Patient', deps.clock.nowMs()) };
  });
}

interface Concern {
  readonly id: SubscriptionId;
  readonly goldenId: ResourceId;
  readonly version: number;
  /** By another record, which it leads to. */
  readonly isReplaced: boolean;
}

async function concerned(
  deps: SubscriptionDeps,
  newest: ReadonlyMap<ResourceId, number>,
  listening: readonly Listening[],
): Promise<Concern[]> {
  const registry = deps.registry.as(READER);
  const stored = await registry.readMany([...newest.keys()]);
  const rows: Concern[] = [];
  for (const [goldenId, version] of newest) {
    const content = stored.get(goldenId)?.content;
    const now = content ? (parseStoredJson(content) as Patient) : undefined;
    // Gone or merged: whom it concerned is told by what it was.
    const isReplaced = now !== undefined && isRedirect(now);
    const told = now === undefined || isReplaced ? await formerly(deps, goldenId, version) : now;
    if (told === undefined) continue;
    for (const { id, criteria } of listening)
      if (criteria.accepts(told)) rows.push({ id, goldenId, version, isReplaced });
  }
  return rows;
}

const isRedirect = (patient: Patient): boolean => patient.link?.some(({ type }) => type === 'replaced-by') === true;

async function formerly(deps: SubscriptionDeps, goldenId: ResourceId, version: number): Promise<Patient | undefined> {
  const former = version > 1 ? await deps.registry.as(READER).readVersion(goldenId, version - 1) : undefined;
  return former?.content ? (parseStoredJson(former.content) as Patient) : undefined;
}
