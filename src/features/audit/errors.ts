import { Problem } from '../../kernel/problem.ts';

export type AuditProblemCode =
  | 'audit-event-not-found'
  | 'audit-filter'
  | 'audit-cursor'
  | 'audit-tile-not-found'
  | 'audit-empty'
  | 'audit-no-witness'
  | 'audit-not-provable'
  | 'audit-erase-reason';

export const eventNotFound = (): Problem<AuditProblemCode> =>
  new Problem('not-found', 'audit-event-not-found', 'There is no such audit event.');
export const unknownFilter = (): Problem<AuditProblemCode> =>
  new Problem('invalid', 'audit-filter', 'No event has this name. GET /api/audit/names lists them.');
export const brokenCursor = (): Problem<AuditProblemCode> =>
  new Problem('invalid', 'audit-cursor', 'The cursor is not one that this log gave. Begin without it.');
export const tileNotFound = (): Problem<AuditProblemCode> =>
  new Problem('not-found', 'audit-tile-not-found', 'The log has no such tile at its size of now.');
export const noCheckpoint = (): Problem<AuditProblemCode> =>
  new Problem(
    'not-found',
    'audit-empty',
    'The log has no checkpoint yet; the first follows its first event within a second.',
  );
export const noWitness = (): Problem<AuditProblemCode> =>
  new Problem('not-found', 'audit-no-witness', 'No witness has signed a checkpoint of this log yet.');
export const eraseReasonMissing = (): Problem<AuditProblemCode> =>
  new Problem('conflict', 'audit-erase-reason', 'An erasure needs the audit event that says why. Nothing was erased.');
export const notProvable = (): Problem<AuditProblemCode> =>
  new Problem(
    'conflict',
    'audit-not-provable',
    'This event cannot be exported: it is not under a signed head yet, or its content was erased. Try again in a second.',
  );
