import { availableParallelism, totalmem } from 'node:os';

export interface ServerSettings {
  readonly maxConnections: number;
  /** False only in tests: a power cut would lose data. */
  readonly durable: boolean;
  /** Megabytes PostgreSQL may keep as its own cache; by default an eighth of the machine, between 128 MB and 1 GB. */
  readonly cacheMegabytes?: number;
  /** Megabytes of write-ahead log between two checkpoints; by default 2 GB, `walMegabytesFor` the disk where it is known. */
  readonly walMegabytes?: number;
}

const MEGABYTE = 1024 * 1024;

export function defaultCacheMegabytes(memoryBytes = totalmem()): number {
  return Math.min(1024, Math.max(128, Math.floor(memoryBytes / MEGABYTE / 8)));
}

/**
 * A tenth of the free disk, between 1 and 8 GB. After a checkpoint each page goes into the log whole at its first change, and
 * blind tokens fall on pages at random: with a million people checkpoints that come too often multiply what is written.
 */
export function walMegabytesFor(freeBytes: number): number {
  return Math.min(8192, Math.max(1024, Math.floor(freeBytes / MEGABYTE / 10)));
}

/** The whole postgresql.conf. `listen` is either the directory of a Unix socket or a port on 127.0.0.1. */
export function postgresqlConf(
  settings: ServerSettings,
  listen: { readonly socketDirectory: string; readonly port: number } | { readonly loopbackPort: number },
): string {
  const cache = settings.cacheMegabytes ?? defaultCacheMegabytes();
  const workers = Math.max(1, Math.min(4, availableParallelism() - 1));
  const lines = [
    '# Written by Careseal at every start; changes made here are lost.',
    ...('loopbackPort' in listen
      ? [`listen_addresses = '127.0.0.1'`, `port = ${listen.loopbackPort}`, `unix_socket_directories = ''`]
      : [
          `listen_addresses = ''`,
          `port = ${listen.port}`,
          `unix_socket_directories = '${listen.socketDirectory.replaceAll("'", "''")}'`,
          'unix_socket_permissions = 0700',
        ]),
    `max_connections = ${settings.maxConnections}`,
    'password_encryption = scram-sha-256',
    // Durability: an answer means the data is on the disk.
    `fsync = ${settings.durable ? 'on' : 'off'}`,
    `full_page_writes = ${settings.durable ? 'on' : 'off'}`,
    `synchronous_commit = ${settings.durable ? 'on' : 'off'}`,
    // Memory and writing, for machines from 2 GB up.
    `shared_buffers = ${cache}MB`,
    `effective_cache_size = ${cache * 3}MB`,
    'work_mem = 8MB',
    'maintenance_work_mem = 128MB',
    `max_wal_size = ${settings.walMegabytes ?? 2048}MB`,
    'min_wal_size = 256MB',
    'checkpoint_timeout = 15min',
    // Pages of ciphertext and keyed hashes do not compress; trying made writes three times as dear after each checkpoint.
    'wal_compression = off',
    'random_page_cost = 1.1',
    'jit = off',
    `max_parallel_workers_per_gather = ${availableParallelism() > 4 ? 2 : 0}`,
    `max_parallel_maintenance_workers = ${workers}`,
    'max_wal_senders = 0',
    'max_logical_replication_workers = 0',
    // Language and time never depend on the machine.
    `timezone = 'UTC'`,
    `log_timezone = 'UTC'`,
    `lc_messages = 'C'`,
    // No value of a row or a parameter may reach the log: no statements, no parameters, no DETAIL lines.
    'log_statement = none',
    'log_min_error_statement = panic',
    'log_min_duration_statement = -1',
    'log_parameter_max_length = 0',
    'log_parameter_max_length_on_error = 0',
    'log_error_verbosity = terse',
    'log_autovacuum_min_duration = -1',
    'log_min_messages = warning',
    'log_checkpoints = off',
  ];
  return `${lines.join('\n')}\n`;
}

export const SUPERUSER = 'careseal_superuser';
export const OWNER_ROLE = 'careseal_owner';
export const APP_ROLE = 'careseal_app';
const IDENT_MAP = 'careseal';

/** Who may sign in: our three roles and nobody else; by OS user over the socket, by password over loopback. */
export function pgHbaConf(kind: 'socket' | 'loopback'): string {
  const how = (role: string): string =>
    kind === 'socket' ? `local all ${role} peer map=${IDENT_MAP}` : `host all ${role} 127.0.0.1/32 scram-sha-256`;
  return `${['# Written by Careseal at every start.', ...[SUPERUSER, OWNER_ROLE, APP_ROLE].map(how)].join('\n')}\n`;
}

/** Only the OS user that Careseal runs as may take our roles. */
export function pgIdentConf(osUserName: string): string {
  const quoted = `"${osUserName.replaceAll('"', '""')}"`;
  return `${[SUPERUSER, OWNER_ROLE, APP_ROLE].map((role) => `${IDENT_MAP} ${quoted} ${role}`).join('\n')}\n`;
}
