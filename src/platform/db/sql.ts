/**
 * How features speak to PostgreSQL: named statements (prepared once per connection), plain SQL, typed rows.
 * Only this folder imports the driver.
 */
export interface Statement<Row> {
  readonly name: string;
  readonly text: string;
  /** Phantom: the row's shape; never present at run time. */
  readonly row?: Row;
}

/** Declares a named prepared statement. Names are unique across the program: `feature.act`. */
export function statement<Row = never>(name: string, text: string): Statement<Row> {
  return { name, text };
}

export type SqlValue = string | number | bigint | boolean | Date | Uint8Array | null | readonly SqlValue[];

/** Something statements can be run on: the pool (each statement its own transaction) or one transaction. */
export interface Sql {
  /** Runs a named prepared statement and returns its rows. bigint and int8 columns arrive as `bigint`, bytea as Buffer. */
  rows<Row>(statement: Statement<Row>, values?: readonly SqlValue[]): Promise<Row[]>;
  /** Same, for statements whose rows are not read; returns the number of rows touched. */
  run(statement: Statement<never>, values?: readonly SqlValue[]): Promise<number>;
}

declare const inTransaction: unique symbol;
/** A `Sql` known to be inside a transaction. Only `Database.transaction` makes one. */
export interface Transaction extends Sql {
  readonly [inTransaction]: true;
  /** Runs after the commit has succeeded (cache invalidation, wake-ups). Never runs after a rollback. */
  afterCommit(act: () => void): void;
  /**
   * The last statements of a transaction: COMMIT leaves together with those that `start` begins before it returns. Nothing may be begun
   * later. When one of them fails nothing is written.
   */
  last<T>(start: () => Promise<T>): Promise<T>;
}

export interface TransactionOptions {
  /** A function of the database (`schema.name`) that takes a lock until the end; called in the same message as BEGIN. */
  readonly lock?: string;
}

/** Statements on their way. */
export interface Burst<T> {
  readonly done: Promise<T>;
  /** `at-once`: all statements have been begun, and that none of them fails is enough. Otherwise COMMIT waits for `done`. */
  readonly commit: 'at-once' | 'when-done';
}

export interface Database extends Sql {
  /** BEGIN … COMMIT around `work`; a throw rolls back and is rethrown. Default isolation READ COMMITTED. */
  transaction<T>(work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /**
   * For work that knows beforehand all it will write: BEGIN, the statements that `start` begins before it returns, and COMMIT leave
   * as one message. When one of them fails nothing is written, and what failed first is thrown. A statement begun later is refused.
   */
  burst<T>(start: (tx: Transaction) => Burst<T>): Promise<T>;
  /**
   * One connection for as long as `work` takes: statements that it starts together travel together, and run in that order, each a
   * transaction of its own.
   */
  together<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /** Subscribes to a NOTIFY channel on one dedicated connection, with reconnect. Returns an unsubscribe function. */
  listen(channel: string, onPayload: (payload: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}
