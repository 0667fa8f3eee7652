import { Problem } from '../../kernel/problem.ts';

/** A person's rows, or its domain's, do not fit their binding: altered.ts. */
export const clientAltered = (): Problem<'client-altered'> =>
  new Problem(
    'conflict',
    'client-altered',
    'Somebody has changed in the database whose this client is, past Careseal. Nothing was written, and the change is not followed. An administrator finds it in the audit log, and puts the rows back from a backup.',
  );
