import type { Config } from '../platform/config/index.ts';
import type { CommandServices } from '../main/index.ts';

/** One option of a command, `--name VALUE` or `--name`. */
export interface OptionSpec {
  readonly kind: 'value' | 'flag';
  readonly description: string;
  /** What to call the value in the help: FILE, SYSTEM. */
  readonly valueName?: string;
  readonly required?: true;
}

/** A command, as each file of this folder exports one. `--help` and, where `json` is true, `--json` come by themselves. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Positional arguments in order, for help and checking: `['NAME']`; a trailing `?` marks an optional one. */
  readonly positional: readonly string[];
  readonly options: Readonly<Record<string, OptionSpec>>;
  readonly json: boolean;
  /** Further help: paragraphs of plain text. */
  readonly help?: string;
  /** Refuse by throwing Problem. The number answered is the exit code; nothing means 0. */
  run(invocation: Invocation): Promise<number | void>;
}

export interface Invocation {
  readonly config: Config;
  /** Positional argument by its place; the required ones are there. */
  argument(index: number): string;
  optionalArgument(index: number): string | undefined;
  /** Value of `--name`; undefined when not given. */
  value(name: string): string | undefined;
  /** Value of a required option. */
  required(name: string): string;
  flag(name: string): boolean;
  readonly out: Output;
  /** Aborted by Ctrl-C or SIGTERM: end soon and leave everything whole. */
  readonly signal: AbortSignal;
  /**
   * Runs `work` with the services of the home: beside a server that runs, or with the embedded PostgreSQL started for the
   * duration. The actor is the operator at this command line.
   */
  withServices<T>(work: (services: CommandServices) => Promise<T>): Promise<T>;
}

export interface Output {
  readonly isJson: boolean;
  /** A line for people, on standard output; dropped with `--json`. */
  line(text: string): void;
  /** Progress for people, on standard error, and only on a terminal. */
  progress(text: string): void;
  /** The answer for programs, one JSON document on standard output; dropped without `--json`. */
  json(value: unknown): void;
}
