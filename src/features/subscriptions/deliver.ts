/** Sends what is due to one subscriber and writes down what came of it. */
import type { Patient } from '@medplum/fhirtypes';
import { newId } from '../../crypto/index.ts';
import { parseStoredJson, printResource } from '../../fhir/index.ts';
import type { Actor } from '../../kernel/principal.ts';
import { isProblem } from '../../kernel/problem.ts';
import type { Transaction } from '../../platform/db/index.ts';
import type { SubscriptionDeps } from './deps.ts';
import { READER } from './fan-out.ts';
import type { StoredSubscription } from './model.ts';
import { type Change, feedMessage, hookRequest } from './payload.ts';
import {
  contentTypeOf,
  FAILURES_UNTIL_ERROR,
  GIVE_UP_MS,
  headersOf,
  pauseMs,
  payloadFormat,
  POISON_ATTEMPTS_MAX,
  type Verdict,
  verdictOf,
} from './rules.ts';
import { wantIfAny } from './service.ts';
import {
  BURY,
  DELIVERED,
  type DeliveryRow,
  DUE,
  FAILED,
  NOTE_ATTEMPT,
  REFUSED,
  RELEASE,
  SUCCEEDED,
  SWITCH_OFF,
} from './store.ts';

/** Changes in one message; for a rest-hook the requests in one turn. */
const TOGETHER_MAX = 50;
const TIMEOUT_MS = 20_000;

interface Attempt {
  readonly verdict: Verdict;
  /** `http-503`, `outbound-timeout` …; undefined when delivered. */
  readonly failure: string | undefined;
}

/**
 * One turn for a subscriber that is leased to this process. Never throws for what the other side does. What is cut off by a stop
 * counts as not tried: it may have arrived, and is sent again.
 */
export async function deliverDue(
  deps: SubscriptionDeps,
  subscription: StoredSubscription,
  signal: AbortSignal,
): Promise<void> {
  const { database, clock } = deps;
  try {
    if (!(await deps.mayReceive(subscription.nodeId))) return await switchOff(deps, subscription, 'node-not-active');
    const due = await database.rows(DUE, [subscription.id, new Date(clock.nowMs()), TOGETHER_MAX]);
    for (const part of inParts(subscription, due)) {
      const attempt = await send(deps, subscription, { part, signal });
      if (signal.aborted && attempt.verdict !== 'delivered') return;
      await settle(deps, subscription, { part, attempt });
      if (attempt.verdict === 'later' || attempt.verdict === 'gone') return;
    }
  } finally {
    await database.run(RELEASE, [subscription.id]);
  }
}

/**
 * One message for what follows each other; records that were refused before go alone, so that they are found out, at their place.
 * Hooks carry one record each.
 */
function inParts({ resource }: StoredSubscription, due: readonly DeliveryRow[]): DeliveryRow[][] {
  if (resource.channel.type !== 'message') return due.map((row) => [row]);
  const isDoubtful = (row: DeliveryRow | undefined): boolean => row?.failure?.startsWith('http-4') === true;
  const parts: DeliveryRow[][] = [];
  for (const row of due) {
    const last = parts.at(-1);
    if (last && !isDoubtful(row) && !isDoubtful(last[0])) last.push(row);
    else parts.push([row]);
  }
  return parts;
}

async function send(
  deps: SubscriptionDeps,
  { resource }: StoredSubscription,
  { part, signal }: { readonly part: readonly DeliveryRow[]; readonly signal: AbortSignal },
): Promise<Attempt> {
  const changes = await changesOf(deps, part);
  const endpoint = resource.channel.endpoint ?? '';
  const format = payloadFormat(resource.channel.payload);
  const type = format === undefined ? {} : { 'content-type': contentTypeOf(format) };
  const headers = { ...headersOf(resource), ...type };
  const common = { headers, timeoutMs: TIMEOUT_MS, answerBytesMax: 1_048_576, signal };
  const [first] = changes;
  if (first === undefined) return { verdict: 'delivered', failure: undefined };
  try {
    const request =
      resource.channel.type === 'message'
        ? {
            method: 'POST' as const,
            url: endpoint,
            body: messageBody(deps, changes, { endpoint, format: format ?? 'json' }),
          }
        : hookRequest(first, endpoint, format);
    const { status } = await deps.outbound.request({ ...request, ...common });
    const verdict = verdictOf(status);
    return { verdict, failure: verdict === 'delivered' ? undefined : `http-${status}` };
  } catch (error) {
    if (!isProblem(error)) throw error;
    return { verdict: 'later', failure: error.code };
  }
}

function messageBody(
  { fhirUrl }: SubscriptionDeps,
  changes: readonly Change[],
  { endpoint, format }: { readonly endpoint: string; readonly format: 'json' | 'xml' },
): Uint8Array {
  const message = feedMessage(changes, { messageId: newId(), base: fhirUrl, endpoint });
  return printResource(message, { format, pretty: false });
}

/** The records as they are now: what changed again since is told in its newest form. */
async function changesOf(deps: SubscriptionDeps, part: readonly DeliveryRow[]): Promise<Change[]> {
  const stored = await deps.registry.as(READER).readMany(part.map((row) => row.golden_id));
  return part.map((row) => {
    const found = stored.get(row.golden_id);
    const patient = found?.content ? (parseStoredJson(found.content) as Patient) : undefined;
    return { goldenId: row.golden_id, version: found?.version ?? row.version, patient };
  });
}

async function settle(
  deps: SubscriptionDeps,
  subscription: StoredSubscription,
  { part, attempt }: { readonly part: readonly DeliveryRow[]; readonly attempt: Attempt },
): Promise<void> {
  const { database, clock, audit } = deps;
  const { verdict, failure = 'unknown' } = attempt;
  const ids = part.map((row) => row.id);
  await database.transaction(async (tx) => {
    const now = new Date(clock.nowMs());
    if (verdict === 'delivered') {
      await tx.run(DELIVERED, [ids, part.map((row) => row.version), now]);
      await tx.run(SUCCEEDED, [subscription.id, now]);
    } else if (verdict === 'gone') await giveUp(deps, tx, { subscription, failure });
    else if (verdict === 'poison') {
      const again = new Date(now.getTime() + (part.length > 1 ? 0 : pauseMs(3, deps.random())));
      // Several together: none is blamed yet, each is tried alone next.
      const max = part.length > 1 ? Number.MAX_SAFE_INTEGER : POISON_ATTEMPTS_MAX;
      await tx.run(REFUSED, [ids, failure, again, Math.min(max, 2_147_483_647), now]);
    } else await putOff(deps, tx, { subscription, failure, ids });
    const refused = verdict === 'delivered' ? {} : { reason: failure };
    await audit.record(tx, [
      {
        actor: careseal(),
        event: 'subscription.deliver',
        action: 'R',
        outcome: verdict === 'delivered' ? 'success' : 'minor-failure',
        patients: part.map((row) => `Patient/${row.golden_id}`),
        entities: [{ reference: `Subscription/${subscription.id}`, role: 'job' }],
        detail: { node: subscription.nodeId },
        ...refused,
      },
    ]);
  });
}

async function putOff(
  deps: SubscriptionDeps,
  tx: Transaction,
  what: { readonly subscription: StoredSubscription; readonly failure: string; readonly ids: readonly string[] },
): Promise<void> {
  const { subscription, failure, ids } = what;
  const nowMs = deps.clock.nowMs();
  if (nowMs - (subscription.failingSinceMs ?? nowMs) >= GIVE_UP_MS) return giveUp(deps, tx, what);
  const next = new Date(nowMs + pauseMs(subscription.failures + 1, deps.random()));
  await tx.run(NOTE_ATTEMPT, [ids, failure]);
  await tx.run(FAILED, [subscription.id, new Date(nowMs), failure, next, FAILURES_UNTIL_ERROR]);
}

async function giveUp(
  deps: SubscriptionDeps,
  tx: Transaction,
  { subscription, failure }: { readonly subscription: StoredSubscription; readonly failure: string },
): Promise<void> {
  const now = new Date(deps.clock.nowMs());
  await tx.run(SWITCH_OFF, [subscription.id, now, failure]);
  await tx.run(BURY, [subscription.id, now, failure]);
  await wantIfAny(deps, tx);
}

async function switchOff(deps: SubscriptionDeps, subscription: StoredSubscription, failure: string): Promise<void> {
  await deps.database.transaction((tx) => giveUp(deps, tx, { subscription, failure }));
}

const careseal = (): Actor => ({ principal: READER, origin: { door: 'background', requestId: newId() } });
