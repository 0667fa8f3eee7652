import type { Socket } from 'node:net';
import pg from 'pg';
import { becomeRole, CONNECT_TIMEOUT_MS, type Connection, clientConfig } from './connection.ts';
import { databaseFailure } from './failure.ts';
import { createListener } from './listener.ts';
import type { Burst, Database, Sql, SqlValue, Statement, Transaction, TransactionOptions } from './sql.ts';
import { parameter } from './values.ts';

export interface DatabaseOptions {
  readonly connection: Connection;
  /** Most connections held open at once. */
  readonly poolSize: number;
  /** A statement that runs longer is cancelled and refused with `database-too-slow`. */
  readonly statementTimeoutMs: number;
  readonly applicationName?: string;
  /** Told of connections that break while idle, without any data; the next use makes a new one. */
  readonly onConnectionLost?: (error: Error) => void;
}

const IDLE_TIMEOUT_MS = 60_000;

/**
 * Opens a pool on one PostgreSQL database. Connections are made on first use, so this never fails; a statement refuses with
 * Problem('unavailable', 'database-unavailable') while the database is down and works again once it is back. Nothing is retried.
 */
export function createDatabase(options: DatabaseOptions): Database {
  const applicationName = options.applicationName ?? 'careseal';
  const pool = openPool(options, applicationName);
  const listener = createListener(options.connection, applicationName);

  async function withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await pool.connect().catch((error: unknown) => {
      throw databaseFailure(error, 'connect');
    });
    let broken: Error | undefined;
    const onError = (error: Error): void => {
      broken = error;
    };
    client.on('error', onError);
    try {
      return await work(client);
    } finally {
      client.removeListener('error', onError);
      // A connection that is not idle any more (a ROLLBACK that failed) must not be given to the next caller.
      client.release(broken ?? (client.getTransactionStatus() === 'I' ? undefined : new Error('not idle')));
    }
  }

  const sql: Sql = {
    rows: (statement, values) => withClient((client) => clientSql(client).rows(statement, values)),
    run: (statement, values) => withClient((client) => clientSql(client).run(statement, values)),
  };

  return {
    ...sql,
    together: (work) => withClient((client) => work(clientSql(client))),
    transaction: (work, begin) => withClient((client) => runTransaction(client, work, begin)),
    burst: (start) => withClient((client) => runBurst(client, start)),
    listen: (channel, onPayload) => listener.listen(channel, onPayload),
    async close() {
      await listener.close();
      if (!pool.ended && !pool.ending) await pool.end();
    },
  };
}

function openPool(options: DatabaseOptions, applicationName: string): pg.Pool {
  const setRole = becomeRole(options.connection);
  const pool = new pg.Pool({
    ...clientConfig(options.connection, { applicationName, statementTimeoutMs: options.statementTimeoutMs }),
    // BEGIN travels in the same packet as the first statement, and statements started together share round trips.
    pipeline: true,
    // Plans are kept per connection; one made while a table was empty would walk it from end to end when it is full.
    options: '-c enable_seqscan=off',
    max: options.poolSize,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ...(setRole === undefined
      ? {}
      : // The pool waits for the promise; its type says void.
        { onConnect: (client: pg.ClientBase) => client.query(setRole) as unknown as void }),
  });
  pool.on('error', (error) => {
    // While the pool closes, PostgreSQL may be the first to hang up.
    if (!pool.ending) options.onConnectionLost?.(error);
  });
  return pool;
}

/** `Sql` on one connection that the caller holds. */
export function clientSql(client: pg.ClientBase): Sql {
  async function query(statement: Statement<unknown>, values: readonly SqlValue[] = []): Promise<pg.QueryResult> {
    try {
      sendTogether(client);
      return await client.query({ name: statement.name, text: statement.text, values: values.map(parameter) });
    } catch (error) {
      throw databaseFailure(error, statement.name);
    }
  }
  return {
    async rows<Row>(statement: Statement<Row>, values?: readonly SqlValue[]): Promise<Row[]> {
      // The statement's declared row type is the promise of whoever wrote its SQL; db tests keep it.
      return (await query(statement, values)).rows as Row[];
    },
    async run(statement, values) {
      return (await query(statement, values)).rowCount ?? 0;
    },
  };
}

const SENT_AT_ONCE_BYTES = 65_536;
const corked = new WeakSet<Socket>();

/**
 * Statements of one turn of the event loop go out in one system call: each would wake PostgreSQL up by itself, which costs more
 * than most of them. What has grown large leaves at once, so that PostgreSQL works while the rest is made.
 */
function sendTogether(client: pg.ClientBase): void {
  // The driver's public class, whose types leave the connection out.
  const { stream } = (client as pg.ClientBase & { readonly connection: { readonly stream: Socket } }).connection;
  if (corked.has(stream)) {
    if (stream.writableLength < SENT_AT_ONCE_BYTES) return;
    stream.uncork();
    stream.cork();
    return;
  }
  corked.add(stream);
  stream.cork();
  process.nextTick(() => {
    corked.delete(stream);
    stream.uncork();
  });
}

async function runTransaction<T>(
  client: pg.ClientBase,
  work: (tx: Transaction) => Promise<T>,
  { lock }: TransactionOptions = {},
): Promise<T> {
  const afterCommit: (() => void)[] = [];
  const state: TransactionState = { ended: false };
  const begun = begin(client, lock);
  let result: T;
  try {
    result = await work(transactionOn(client, afterCommit, state));
    await begun;
  } catch (error) {
    state.ended = true;
    throw await rolledBack(client, begun, error);
  }
  state.ended = true;
  await (state.committed ?? commit(client));
  for (const act of afterCommit) act();
  return result;
}

interface TransactionState {
  ended: boolean;
  /** COMMIT is on its way already. */
  committed?: Promise<void>;
}

/** Not to be awaited: it is first in the connection's queue, and when it fails every statement after it fails as well. */
function begin(client: pg.ClientBase, lock?: string): Promise<unknown> {
  sendTogether(client);
  const begun = client
    .query(lock === undefined ? 'BEGIN' : `BEGIN; SELECT ${functionName(lock)}()`)
    .catch((error: unknown) => {
      throw databaseFailure(error, 'BEGIN');
    });
  begun.catch(() => undefined);
  return begun;
}

/** What failed first, which is the cause of all that followed. */
async function rolledBack(client: pg.ClientBase, begun: Promise<unknown>, error: unknown): Promise<unknown> {
  const first = await begun.then(
    () => error,
    (cause: unknown) => cause,
  );
  // When the ROLLBACK itself fails the connection is gone, and PostgreSQL rolls back by itself; withClient discards it.
  await client.query('ROLLBACK').catch(() => undefined);
  return first;
}

async function runBurst<T>(client: pg.ClientBase, start: (tx: Transaction) => Burst<T>): Promise<T> {
  const afterCommit: (() => void)[] = [];
  const state: TransactionState = { ended: false };
  const begun = begin(client);
  let burst: Burst<T>;
  try {
    burst = start(transactionOn(client, afterCommit, state));
    burst.done.catch(() => undefined);
    if (burst.commit === 'when-done') await burst.done;
  } catch (error) {
    state.ended = true;
    throw await rolledBack(client, begun, error);
  }
  state.ended = true;
  const committed = commit(client);
  committed.catch(() => undefined);
  await begun;
  // A failed statement before the COMMIT that PostgreSQL therefore answered with ROLLBACK.
  const result = await burst.done;
  await committed;
  for (const act of afterCommit) act();
  return result;
}

const FUNCTION_NAME = /^[a-z_]+\.[a-z_]+$/;

function functionName(name: string): string {
  if (!FUNCTION_NAME.test(name)) throw new RangeError('A lock is taken by a function of the database, schema.name');
  return name;
}

async function commit(client: pg.ClientBase): Promise<void> {
  const answer = await client.query('COMMIT').catch((error: unknown) => {
    throw databaseFailure(error, 'COMMIT');
  });
  // PostgreSQL answers COMMIT of a failed transaction with ROLLBACK, as a success: someone swallowed a statement's error.
  if (answer.command !== 'COMMIT') throw new Error('A transaction whose statement had failed was asked to commit');
}

function transactionOn(client: pg.ClientBase, afterCommit: (() => void)[], state: TransactionState): Transaction {
  const sql = clientSql(client);
  const open = (): void => {
    if (state.ended) throw new Error('This transaction has ended; a statement was started after its work had settled');
  };
  const tx: Omit<Transaction, never> & Sql = Object.assign(
    {
      async rows<Row>(statement: Statement<Row>, values?: readonly SqlValue[]) {
        open();
        return await sql.rows(statement, values);
      },
      async run(statement: Statement<never>, values?: readonly SqlValue[]) {
        open();
        return await sql.run(statement, values);
      },
      afterCommit(act: () => void) {
        open();
        afterCommit.push(act);
      },
      last<T>(start: () => Promise<T>): Promise<T> {
        open();
        const done = start();
        done.catch(() => undefined);
        state.ended = true;
        state.committed = commit(client);
        state.committed.catch(() => undefined);
        return done;
      },
    },
    // The brand has no run-time part; this is the one place that may claim it.
    {} as Pick<Transaction, Extract<keyof Transaction, symbol>>,
  );
  return tx;
}
