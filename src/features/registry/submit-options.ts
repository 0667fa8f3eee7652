import type { Transaction } from '../../platform/db/sql.ts';
import type { SubmissionOutcome } from './model.ts';
import type { Rehearsal } from './rehearsal.ts';

/** How submissions are taken. */
export interface SubmitOptions {
  /** All or nothing: one refusal refuses all (FHIR transaction). */
  readonly atomic?: boolean;
  /** Decide and answer, write nothing (load --dry-run); what its former batches would have written is seen. */
  readonly rehearsal?: Rehearsal;
  /** Extra rows to write in the same transaction (the loader's cursor). */
  readonly alongside?: (tx: Transaction, outcomes: readonly SubmissionOutcome[]) => Promise<void>;
  /** Record an audit event for refused and unchanged submissions too (batch Bundles); a lone refusal is recorded by the door. */
  readonly auditAll?: boolean;
  /** Record no event for submissions that changed nothing (loading the same file again). */
  readonly quietUnchanged?: boolean;
}
