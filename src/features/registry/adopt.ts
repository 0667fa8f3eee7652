/**
 * Links that another registry had made, taken over: each person keeps the id it had there, and its records are placed by that
 * decision, so that no model moves them. Ids that were merged there go on pointing at their successor.
 */
import type { ResourceId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import { kindOf, patientOf } from './content.ts';
import { ledgerActor } from './ledger.ts';
import { idTaken } from './problems.ts';
import type { RoundDeps } from './round-loading.ts';
import type { Decision } from './decision.ts';
import { decide, goldensOf, placePinned } from './stewardship.ts';

export interface AdoptedPerson {
  readonly goldenId: ResourceId;
  readonly sourceIds: readonly ResourceId[];
  /** Former ids of this person. */
  readonly formerIds: readonly ResourceId[];
}

/** Takes over some persons in one transaction. Throws Problem `id-taken` where an id is one of another record here. */
export async function adoptPersons(
  deps: RoundDeps,
  actor: Actor,
  what: { readonly persons: readonly AdoptedPerson[]; readonly reason: string },
): Promise<AuditReceipt> {
  const { persons, reason } = what;
  const { audited } = await decide(deps, actor, {
    goldens: async (tx) => {
      const sources = persons.flatMap(({ sourceIds }) => sourceIds);
      return [...new Set([...(await goldensOf(tx, sources)).values(), ...persons.map(({ goldenId }) => goldenId)])];
    },
    async act(decision) {
      await assertFree(decision, persons);
      for (const person of persons) adopt(decision, person, reason);
      return {
        result: undefined,
        audit: {
          actor,
          event: 'client.link' as const,
          action: 'U' as const,
          outcome: 'success' as const,
          patients: persons.map(({ goldenId }) => `Patient/${goldenId}`),
          reason,
        },
      };
    },
  });
  return audited;
}

/** A golden record's id must not be that of a record that somebody sent. */
async function assertFree({ deps, tx }: Decision, persons: readonly AdoptedPerson[]): Promise<void> {
  const ids = persons.flatMap(({ goldenId, formerIds }) => [goldenId, ...formerIds]);
  if ((await goldensOf(tx, ids)).size > 0) throw idTaken();
  const stored = await deps.resources.read(tx, 'Patient', ids);
  // A golden record that is here already is this one, imported before.
  for (const { content } of stored.values()) if (content && kindOf(patientOf(content)) !== 'golden') throw idTaken();
}

function adopt(decision: Decision, { goldenId, sourceIds, formerIds }: AdoptedPerson, reason: string): void {
  const { state, actor } = decision;
  for (const id of sourceIds) {
    const left = state.sources.get(id)?.goldenId;
    if (left === undefined || left === goldenId) continue;
    placePinned(state, id, goldenId);
    const golden = state.golden(left);
    if (golden.members.size === 0) golden.replacedBy = goldenId;
    state.ledger.push({
      kind: 'linked',
      goldenId,
      sourceId: id,
      otherGoldenId: left,
      detail: { actor: ledgerActor(actor), reason },
    });
  }
  for (const former of formerIds) {
    const golden = state.golden(former);
    golden.replacedBy = goldenId;
    golden.touched = true;
  }
}
