/**
 * The only door to PostgreSQL. Features declare statements (`statement`), get a `Database` passed in, and run them on it or in
 * `database.transaction(…)`. Refusals: Problem('unavailable', 'database-unavailable' | 'database-full' | 'database-too-slow' |
 * 'database-busy') when trying again may help, SqlError (SQLSTATE, constraint) otherwise; neither quotes a value.
 */
/** Arrays as binary parameters, for statements that write very many rows. */
export {
  boolArray,
  byteaArray,
  float4Array,
  int4Array,
  int8Array,
  textArray,
  timestamptzArray,
  uuidArray,
} from './binary.ts';
export type { Connection } from './connection.ts';
/** Opens a pool; see `DatabaseOptions`. */
export { createDatabase, type DatabaseOptions } from './database.ts';
/** The database's refusal of one statement, and the question features ask most of it. */
export { isUniqueViolation, SqlError } from './failure.ts';
/** Forward-only migrations, run as the owner. */
export { type Migration, migrate, readMigrations } from './migrations.ts';
/** The golden dump of the schema. */
export { dumpSchema } from './schema-dump.ts';
/** Maintenance SQL on a connection of its own. */
export { type MaintenanceSession, withMaintenanceSession } from './session.ts';
export {
  type Burst,
  type Database,
  type Sql,
  type SqlValue,
  type Statement,
  statement,
  type Transaction,
} from './sql.ts';
