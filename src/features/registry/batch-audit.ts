/** The audit events of a batch: one per submission that did something, refusals too where the caller asked for all. */
import type { AuditInput } from '../audit/index.ts';
import type { Decided } from './round-decisions.ts';
import type { Work } from './work.ts';

const EVENTS = {
  created: { event: 'client.create', action: 'C', interaction: 'create' },
  updated: { event: 'client.update', action: 'U', interaction: 'update' },
  unchanged: { event: 'client.update', action: 'U', interaction: 'update' },
  deleted: { event: 'client.delete', action: 'D', interaction: 'delete' },
} as const;

const REFUSED = {
  create: EVENTS.created,
  upsert: EVENTS.updated,
  update: EVENTS.updated,
  delete: EVENTS.deleted,
} as const;

export function doneInputs(decided: readonly Decided[]): AuditInput[] {
  return decided.filter((one) => one.status !== 'unchanged' || !one.work.options.quietUnchanged).map(success);
}

export function refusedInputs(works: readonly Work[]): AuditInput[] {
  return works.flatMap((work) =>
    work.options.auditAll && work.outcome?.status === 'refused' ? [refusal(work, work.outcome.problem.code)] : [],
  );
}

function success(one: Decided): AuditInput {
  return {
    actor: one.work.actor,
    ...EVENTS[one.status],
    outcome: 'success',
    patients: [`Patient/${one.source.id}`],
    entities: [{ reference: `Patient/${one.source.goldenId}`, role: 'domain-resource' }],
    detail: { linked: one.linked ? 'yes' : 'no', ...(one.status === 'unchanged' ? { change: 'none' } : {}) },
  };
}

function refusal(work: Work, code: string): AuditInput {
  const { submission } = work;
  const names = submission.kind === 'update' || submission.kind === 'delete' ? [`Patient/${submission.id}`] : [];
  return {
    actor: work.actor,
    ...REFUSED[submission.kind],
    outcome: 'minor-failure',
    entities: names.map((reference) => ({ reference, role: 'domain-resource' as const })),
    reason: code,
  };
}
