import { Problem } from '../../kernel/problem.ts';

export type AtnaProblemCode =
  | 'target-not-found'
  | 'target-name-taken'
  | 'target-filter'
  | 'repository-off'
  | 'audit-event-invalid'
  | 'audit-bundle'
  | 'audit-search'
  | 'audit-event-unknown';

export const targetNotFound = (): Problem<AtnaProblemCode> =>
  new Problem('not-found', 'target-not-found', 'There is no such receiver. Perhaps somebody removed it.');
export const nameTaken = (): Problem<AtnaProblemCode> =>
  new Problem(
    'conflict',
    'target-name-taken',
    'Another receiver has this name. Choose a different one; nothing was changed.',
  );
export const unknownEvents = (): Problem<AtnaProblemCode> =>
  new Problem(
    'invalid',
    'target-filter',
    'One of the events to forward does not exist. GET /api/audit/names lists them.',
  );
export const repositoryOff = (): Problem<AtnaProblemCode> =>
  new Problem(
    'forbidden',
    'repository-off',
    'This Careseal takes no audit events of other systems. Its administrator can switch that on (auditRepository).',
  );
export const eventInvalid = (issue: string): Problem<AtnaProblemCode> =>
  new Problem(
    'invalid',
    'audit-event-invalid',
    `This is not an AuditEvent that can be kept: ${issue}. Nothing was stored.`,
  );
export const bundleInvalid = (): Problem<AtnaProblemCode> =>
  new Problem(
    'invalid',
    'audit-bundle',
    'A Bundle of type batch or transaction with at most 500 entries POST AuditEvent is expected. Nothing was stored.',
  );
export const eventUnknown = (): Problem<AtnaProblemCode> =>
  new Problem('not-found', 'audit-event-unknown', 'There is no such audit event, or what it said was erased.');
export const searchInvalid = (detail: string): Problem<AtnaProblemCode> =>
  new Problem('invalid', 'audit-search', detail);
