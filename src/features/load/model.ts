import type { ValidPatient } from '../../fhir/index.ts';

/** One data row of a file after mapping: a Patient to submit, or why there is none. */
export type Row = GoodRow | RejectedRow;

export interface GoodRow {
  readonly kind: 'good';
  readonly line: number;
  /** Value of the record's own identifier in the domain. */
  readonly key: string;
  readonly patient: ValidPatient;
  /** Values left out, each with its column. */
  readonly warnings: readonly Notice[];
  /** The row as read, for the file of warnings and of rows the registry refuses. */
  readonly fields: readonly string[];
}

export interface RejectedRow {
  readonly kind: 'rejected';
  readonly line: number;
  readonly column?: string;
  readonly reason: string;
  readonly fields: readonly string[];
  /** Lines this rejection stands for, where a fault swallowed several. */
  readonly lines: number;
}

export interface Notice {
  readonly column: string;
  readonly reason: string;
}

/** What is kept, sealed, about a row in the downloadable files. */
export interface KeptNotice {
  readonly line: number;
  readonly column?: string;
  readonly reason: string;
  readonly fields: readonly string[];
}
