import { Problem } from '../../kernel/problem.ts';

export type AlertProblemCode =
  | 'alert-not-found'
  | 'alert-closed'
  | 'alert-own'
  | 'recipient-unknown'
  | 'rule-zone'
  | 'rule-quiet';

export const alertNotFound = (): Problem<AlertProblemCode> =>
  new Problem('not-found', 'alert-not-found', 'There is no such alert.');
export const alertClosed = (): Problem<AlertProblemCode> =>
  new Problem('conflict', 'alert-closed', 'Somebody has closed this alert already. Nothing was changed.');
export const ownAlert = (): Problem<AlertProblemCode> =>
  new Problem(
    'forbidden',
    'alert-own',
    'This alert is about you, so somebody else has to look into it. It stays open. Ask another person who answers for alerts.',
  );
export const recipientUnknown = (): Problem<AlertProblemCode> =>
  new Problem(
    'invalid',
    'recipient-unknown',
    'Mails about alerts go only to people who may see all of them. Nothing was changed. Choose from the list.',
  );
export const unknownZone = (): Problem<AlertProblemCode> =>
  new Problem('invalid', 'rule-zone', 'There is no such time zone. Write it like Africa/Kampala. Nothing was changed.');
export const noQuietTime = (): Problem<AlertProblemCode> =>
  new Problem('invalid', 'rule-quiet', 'The quiet time begins and ends at once. Nothing was changed.');
