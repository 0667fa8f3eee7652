import { Problem } from '../../kernel/problem.ts';

/**
 * What the database answered when it refused a statement: the SQLSTATE and the names of the things concerned, never values.
 * PostgreSQL's own message is kept only where it cannot quote data (a statement that does not parse, a trigger of ours).
 */
export class SqlError extends Error {
  /** Five-character SQLSTATE: `23505` unique violation, `23503` foreign key, `23514` check, `40001` serialisation … */
  readonly sqlState: string;
  readonly constraint: string | undefined;
  readonly table: string | undefined;

  constructor(cause: PostgresError, statementName: string) {
    const quoted = canQuoteData(cause.code) ? '' : ` (${cause.message})`;
    const where = cause.constraint === undefined ? '' : `, constraint ${cause.constraint}`;
    super(`Statement ${statementName} failed with SQLSTATE ${cause.code}${where}${quoted}`);
    this.name = 'SqlError';
    this.sqlState = cause.code;
    this.constraint = cause.constraint;
    this.table = cause.table;
  }
}

/** True when `error` says that a row with this key exists already; `constraint` narrows it to one index. */
export function isUniqueViolation(error: unknown, constraint?: string): error is SqlError {
  return (
    error instanceof SqlError &&
    error.sqlState === '23505' &&
    (constraint === undefined || error.constraint === constraint)
  );
}

interface PostgresError extends Error {
  readonly code: string;
  readonly constraint?: string;
  readonly table?: string;
}

function isPostgresError(error: unknown): error is PostgresError {
  return error instanceof Error && 'severity' in error && 'code' in error && typeof error.code === 'string';
}

/** Classes 42 (syntax, unknown table, missing grant) and P0 (RAISE in our own triggers) speak of our SQL, all others may quote a row. */
function canQuoteData(sqlState: string): boolean {
  return !sqlState.startsWith('42') && !sqlState.startsWith('P0');
}

const SAYS_UNAVAILABLE = new Set(['57P01', '57P02', '57P03', '53300', '25006']);

/** Turns whatever the driver threw into a `Problem` when trying later may help, else into an `SqlError`. */
export function databaseFailure(error: unknown, statementName: string): Error {
  if (error instanceof Problem || error instanceof SqlError) return error;
  if (!isPostgresError(error)) {
    // Not an answer of PostgreSQL: the connection broke, could not be made, or the pool stayed full for too long.
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'connection lost';
    return unavailable(`${statementName}: ${reason}`);
  }
  const state = error.code;
  if (SAYS_UNAVAILABLE.has(state) || state.startsWith('08') || state.startsWith('58')) {
    return unavailable(`${statementName}: SQLSTATE ${state}`);
  }
  if (state.startsWith('28') || state === '3D000') {
    return new Problem('unavailable', 'database-refused', 'The database refuses Careseal’s sign-in, or is not there.', {
      privateDetail: `${statementName}: SQLSTATE ${state}`,
    });
  }
  if (state.startsWith('53')) {
    return new Problem(
      'unavailable',
      'database-full',
      'The database has run out of disk or memory. Nothing was saved.',
      {
        privateDetail: `${statementName}: SQLSTATE ${state}`,
        retryAfterSeconds: 30,
      },
    );
  }
  if (state === '57014' || state === '55P03') {
    return new Problem('unavailable', 'database-too-slow', 'The database took too long to answer. Nothing was saved.', {
      privateDetail: `${statementName}: SQLSTATE ${state}`,
      retryAfterSeconds: 5,
    });
  }
  if (state === '40001' || state === '40P01') {
    return new Problem('unavailable', 'database-busy', 'Two changes collided. Nothing was saved; please try again.', {
      privateDetail: `${statementName}: SQLSTATE ${state}`,
      retryAfterSeconds: 1,
    });
  }
  return new SqlError(error, statementName);
}

function unavailable(privateDetail: string): Problem {
  return new Problem(
    'unavailable',
    'database-unavailable',
    'The database cannot be reached right now. Please try again shortly.',
    {
      privateDetail,
      retryAfterSeconds: 2,
    },
  );
}
