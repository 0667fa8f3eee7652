/**
 * The embedded PostgreSQL: real PostgreSQL 18 from npm, one per home, reachable over a Unix socket (127.0.0.1 where there is
 * none) by the OS user that runs Careseal and by nobody else. The holder of the home's lock starts and stops it.
 */
export {
  attachEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from './embedded.ts';
/** Databases of one's own choosing (`CARESEAL_DATABASE_URL`). */
export { type DatabaseAddresses, type ExternalDatabase, prepareExternalDatabase } from './external.ts';
