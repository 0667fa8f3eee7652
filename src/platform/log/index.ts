/** The log: one line per event on standard error, never a request's content. */
import { type Logger as PinoLogger, pino } from 'pino';
import { isProblem } from '../../kernel/problem.ts';
import { plainLine } from './plain.ts';

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose lines carry `fields` as well. */
  with(fields: LogFields): Logger;
}

/** Numbers, short codes and ids. An `error` is reduced to its kind, code, private detail and stack; causes are followed. */
export interface LogFields {
  readonly error?: unknown;
  readonly [name: string]: unknown;
}

export interface LogOptions {
  readonly level: 'fatal' | 'error' | 'warn' | 'info' | 'debug';
  readonly format: 'json' | 'plain';
  readonly colour?: boolean;
  /** Where lines go; standard error by default. */
  readonly write?: (line: string) => void;
}

/** Names under which somebody might one day log what must not be logged; a net below the rule, not a substitute for it. */
const REDACTED = ['password', 'passphrase', 'token', 'cookie', 'authorization', 'body', 'secret', 'email'];

export function createLogger(options: LogOptions): Logger {
  const write = options.write ?? ((line: string) => process.stderr.write(line));
  const destination = {
    write: options.format === 'json' ? write : (line: string) => write(plainLine(line, options.colour ?? false)),
  };
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'message',
      redact: { paths: REDACTED.flatMap((name) => [name, `*.${name}`]), censor: '(redacted)' },
    },
    destination,
  );
  return wrap(logger);
}

/** Drops every line: for tests and for commands that answer in JSON. */
export function silentLogger(): Logger {
  const nothing = (): void => undefined;
  const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing, with: () => silent };
  return silent;
}

function wrap(logger: PinoLogger): Logger {
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: LogFields = {}): void => {
      const { error, ...rest } = fields;
      logger[level](error === undefined ? rest : { ...rest, problem: describeError(error) }, message);
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (fields) => wrap(logger.child(fields)),
  };
}

const CAUSES_MAX = 5;

/** What may be said of an error: a Problem's own words are safe by contract; of anything else the type and the place. */
function describeError(error: unknown, depth = 0): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const own = isProblem(error)
    ? { kind: error.kind, code: error.code, detail: error.options.privateDetail ?? error.publicDetail }
    : { type: error.name, detail: safeMessage(error) };
  // The first line of a stack is the message, which was dealt with above.
  const frames = (error.stack ?? '').split('\n').filter((line) => line.trimStart().startsWith('at '));
  const cause =
    error.cause === undefined || depth >= CAUSES_MAX ? {} : { cause: describeError(error.cause, depth + 1) };
  return { ...own, at: frames.slice(0, 8).map((line) => line.trim()), ...cause };
}

/**
 * Messages of unexpected errors may quote input (`JSON.parse` quotes what it could not read), so only those made by Node's own
 * system calls, by our SQL layer and by our assertions are kept.
 */
function safeMessage(error: Error): string | undefined {
  if (error.name === 'SqlError') return error.message;
  if ('code' in error && typeof error.code === 'string') {
    return `${error.code}${'syscall' in error ? ` ${String(error.syscall)}` : ''}`;
  }
  return undefined;
}
