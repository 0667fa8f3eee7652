import type { Transaction } from '../../platform/db/sql.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { Refusal } from '../../platform/http/refusals.ts';
import type { RouteDeclaration } from '../../platform/http/route.ts';
import { createEventWriter } from './audit-event.ts';
import type { AuditDeps } from './deps.ts';
import { unknownEvents } from './events.ts';
import type { AuditInput } from './model.ts';
import { createRecorder } from './recorder.ts';
import { refusalInput } from './refusals.ts';
import { createEventSealer } from './sealed-event.ts';

export type { AuditDeps } from './deps.ts';
export { type AuditEventName, EVENTS } from './events.ts';
export type { AuditEntity, AuditInput, AuditProblem, AuditVerification, RootHash } from './model.ts';

/** The audit log: who did what, and the proof that nothing of it was changed. Makes the only receipts a route can answer with. */
export interface Audit {
  /** Writes events in the transaction of the act, so both happen or neither. One AuditEvent per patient of each input. */
  record(tx: Transaction, inputs: readonly AuditInput[]): Promise<AuditReceipt>;
  /**
   * Writes events on their own and resolves once they are durable; concurrent callers share a commit. Await it before data
   * leaves. Rejects with Problem('unavailable', 'audit-unavailable') when the log cannot be written: then nothing may be shown.
   */
  recordNow(inputs: readonly AuditInput[]): Promise<AuditReceipt>;
  /** Writes the refusal of a request; for the doors. */
  recordRefusal(refusal: Refusal): Promise<void>;
  /** Throws unless every event these routes declare is one the log knows. To be called at start with all routes. */
  assertKnownEvents(routes: readonly RouteDeclaration[]): void;
  readonly routes: readonly RouteDeclaration[];
}

export function createAudit(deps: AuditDeps): Audit {
  const seal = createEventSealer(deps.keyRing, createEventWriter(deps.source));
  const recorder = createRecorder({ database: deps.database, seal, onCommitted: () => {} });
  return {
    ...recorder,
    recordRefusal: async (refusal) => {
      await recorder.recordNow([refusalInput(refusal)]);
    },
    assertKnownEvents(routes) {
      const unknown = unknownEvents(routes);
      if (unknown.length > 0)
        throw new Error(`Audit events in no table (features/audit/events.ts): ${unknown.join(', ')}`);
    },
    routes: [],
  };
}
