/**
 * A sender says that one of its records was replaced by another of its own (ITI-104, ITI-93, ADT A40). The obsolete record stays,
 * inactive and pointing at its successor, and moves to the successor's person. The sender speaks for its own records alone:
 * records of others that were linked with the obsolete one stay where they are, and a steward is asked about them.
 */
import type { ResourceId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import { type SourceState } from './batch-state.ts';
import type { DomainTable } from './deps.ts';
import { ledgerActor } from './ledger.ts';
import { matchRecordOf } from './match-record.ts';
import type { SourceMerge, SourceMerged, ValidPatient } from './model.ts';
import {
  clientNotFound,
  mergeLoop,
  mergeNotAllowed,
  mergeWantsTwo,
  neverLinked,
  notOwnRecord,
  sameRecord,
  successorReplaced,
} from './problems.ts';
import { isReplaced, replacedBy, successorOf } from './replacement.ts';
import { loadPatients, type RoundDeps } from './round-loading.ts';
import { REVIEWS_PER_RECORD_MAX } from './rules.ts';
import type { Decision } from './decision.ts';
import { needsSecondPerson } from './second-person.ts';
import { assertOwnThroughout, decideWithin, goldensOf, placePinned } from './stewardship.ts';
import { REGISTRY_LOCK } from './store.ts';
import { isInReach, ownsDomain, withoutForeign } from './work.ts';

export async function mergeSources(deps: RoundDeps, actor: Actor, what: SourceMerge): Promise<SourceMerged> {
  return deps.database.transaction((tx) => mergeWithin(deps, tx, actor, what), { lock: REGISTRY_LOCK });
}

/** The same in a transaction that holds the registry's lock. */
export async function mergeWithin(
  deps: RoundDeps,
  tx: Transaction,
  actor: Actor,
  what: SourceMerge,
): Promise<SourceMerged> {
  const { result, audited } = await decideWithin(deps, tx, actor, {
    judgedByAct: true,
    goldens: async () => [...new Set((await goldensOf(tx, [what.obsolete, what.survivor])).values())],
    async act(decision) {
      const { obsolete, survivor } = await bothOf(decision, what);
      const goldens = [...new Set([obsolete.goldenId, survivor.goldenId])];
      const known = obsolete.patient === undefined ? undefined : successorOf(obsolete.patient);
      const changed = known !== survivor.id;
      if (changed) await assertPersonMay(decision, { obsolete, survivor });
      if (changed) replace(decision, { obsolete, survivor, patient: what.patient }, await deps.domains.table());
      return {
        result: { changed, survivor: survivor.id, goldenId: survivor.goldenId },
        audit: {
          actor,
          event: 'client.merge' as const,
          action: 'U' as const,
          outcome: 'success' as const,
          patients: [obsolete.id, survivor.id, ...goldens].map((id) => `Patient/${id}`),
          reason: 'replaced by its sender',
        },
      };
    },
  });
  return { ...result, audited };
}

/**
 * A system speaks for its own records. A person who says the same by FHIR makes two clients one, as on the pages: with the right to,
 * over clients that are the organisation's own throughout, and with a second person where the rule asks for one.
 */
async function assertPersonMay({ deps, tx, state, actor }: Decision, { obsolete, survivor }: Both): Promise<void> {
  const { principal } = actor;
  if (principal.kind !== 'user' || obsolete.goldenId === survivor.goldenId) return;
  if (!principal.permissions.has('review.decide')) throw mergeNotAllowed();
  await assertOwnThroughout(deps, actor, state);
  const sizes = [state.golden(obsolete.goldenId).members.size, state.golden(survivor.goldenId).members.size] as const;
  if (await needsSecondPerson(deps, tx, principal, sizes)) throw mergeWantsTwo();
}

interface Both {
  readonly obsolete: SourceState;
  readonly survivor: SourceState;
}

async function bothOf({ deps, tx, state, actor }: Decision, what: SourceMerge): Promise<Both> {
  if (what.obsolete === what.survivor) throw sameRecord();
  await loadPatients(deps, tx, state, [what.obsolete, what.survivor]);
  const obsolete = state.sources.get(what.obsolete);
  const survivor = state.sources.get(what.survivor);
  if (!obsolete?.patient || !survivor?.patient) throw clientNotFound();
  const domains = await deps.domains.table();
  for (const source of [obsolete, survivor]) {
    const domain = domains.byId(source.domainId);
    if (!ownsDomain(actor.principal, domain)) {
      throw isInReach(actor.principal, domain) ? notOwnRecord() : clientNotFound();
    }
  }
  const next = successorOf(survivor.patient);
  if (next === obsolete.id) throw mergeLoop();
  if (next !== undefined) throw successorReplaced();
  return { obsolete, survivor };
}

function replace(
  decision: Decision,
  what: Both & { readonly patient: ValidPatient | undefined },
  domains: DomainTable,
): void {
  const { deps, state, actor, nowMs } = decision;
  const { obsolete, survivor } = what;
  const staying = [...state.golden(survivor.goldenId).members].filter((id) => id !== obsolete.id);
  if (staying.some((id) => state.neverLinked(id, obsolete.id))) throw neverLinked();
  const left = obsolete.goldenId;
  askAboutOthers(decision, { ...what, left });
  const patient = replacedBy(what.patient ?? obsolete.patient ?? { resourceType: 'Patient' }, survivor.id);
  const record = matchRecordOf(
    deps.informativeIdentifiers ? withoutForeign(actor.principal, patient, domains) : patient,
  );
  const prepared = deps.matcher.prepare(record);
  const storedTokens = deps.records.lookupKeys(obsolete.prepared);
  Object.assign(obsolete, {
    patient,
    record,
    prepared,
    storedTokens,
    tokens: deps.records.bothKeys(prepared).current,
    version: obsolete.version + 1,
    lastUpdatedMs: nowMs,
  });
  // `place` keeps a change that is there already.
  obsolete.change = 'written';
  if (left !== survivor.goldenId) {
    placePinned(state, obsolete.id, survivor.goldenId);
    const golden = state.golden(left);
    if (golden.members.size === 0) golden.replacedBy = survivor.goldenId;
  }
  state.golden(survivor.goldenId).touched = true;
  state.ledger.push({
    kind: 'linked',
    goldenId: survivor.goldenId,
    sourceId: obsolete.id,
    otherSourceId: survivor.id,
    ...(left === survivor.goldenId ? {} : { otherGoldenId: left }),
    detail: { actor: ledgerActor(actor), reason: 'replaced by its sender' },
  });
}

/** Others who were taken for the same person as the obsolete record: whether they are the survivor too, its sender cannot say. */
function askAboutOthers({ deps, state }: Decision, what: Both & { readonly left: ResourceId }): void {
  const { obsolete, survivor, left } = what;
  if (left === survivor.goldenId) return;
  const others = [...state.golden(left).members].filter((id) => id !== obsolete.id);
  for (const id of others.slice(0, REVIEWS_PER_RECORD_MAX)) {
    const other = state.sources.get(id);
    if (!other || (other.patient && isReplaced(other.patient)) || state.neverLinked(id, survivor.id)) continue;
    const { score, grade } = deps.matcher.compare(survivor.prepared, other.prepared);
    state.reviews.push({ sourceId: survivor.id, other: id, cause: 'two-people-match', score, grade });
  }
}
