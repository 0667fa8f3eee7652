import { Problem } from '../../kernel/problem.ts';

export type ReportProblemCode =
  | 'report-too-long'
  | 'report-event'
  | 'report-organisation'
  | 'client-not-found'
  | 'saved-not-found'
  | 'saved-too-many';

export const tooLong = (days: number): Problem<ReportProblemCode> =>
  new Problem('invalid', 'report-too-long', `Choose a time of at most ${days} days.`);
export const unknownEvent = (): Problem<ReportProblemCode> =>
  new Problem('invalid', 'report-event', 'No event has this name. GET /api/audit/names lists them.');
export const unknownOrganisation = (): Problem<ReportProblemCode> =>
  new Problem('not-found', 'report-organisation', 'There is no such organisation, or nobody belongs to it.');
/** In the registry's words: who records something about a client is told what who reads it is told. */
export const clientUnknown = (): Problem<ReportProblemCode> =>
  new Problem('not-found', 'client-not-found', 'No client record with this id is known here.');
export const savedNotFound = (): Problem<ReportProblemCode> =>
  new Problem(
    'not-found',
    'saved-not-found',
    'There is no such saved search. Perhaps it was removed in another window.',
  );
export const savedTooMany = (max: number): Problem<ReportProblemCode> =>
  new Problem(
    'conflict',
    'saved-too-many',
    `You have ${max} saved searches already. Remove one first; nothing was saved.`,
  );
