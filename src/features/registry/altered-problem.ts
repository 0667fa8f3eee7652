import { Problem } from '../../kernel/problem.ts';

/** A person's rows, or its domain's, do not fit their binding: altered.ts. */
export const clientAltered = (): Problem<'client-altered'> =>
  new Problem(
    'conflict',
    'client-altered',
    'Somebody has changed in the database whose this client is, past Careseal. Nothing was written, and the change is not followed. An administrator puts the client right with `careseal registry repair` at the command line of the server.',
  );
