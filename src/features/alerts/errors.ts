import { Problem } from '../../kernel/problem.ts';

export type AlertProblemCode = 'alert-not-found' | 'alert-closed' | 'rule-zone' | 'rule-quiet';

export const alertNotFound = (): Problem<AlertProblemCode> =>
  new Problem('not-found', 'alert-not-found', 'There is no such alert.');
export const alertClosed = (): Problem<AlertProblemCode> =>
  new Problem('conflict', 'alert-closed', 'Somebody has closed this alert already. Nothing was changed.');
export const unknownZone = (): Problem<AlertProblemCode> =>
  new Problem('invalid', 'rule-zone', 'There is no such time zone. Write it like Africa/Kampala. Nothing was changed.');
export const noQuietTime = (): Problem<AlertProblemCode> =>
  new Problem('invalid', 'rule-quiet', 'The quiet time begins and ends at once. Nothing was changed.');
