/**
 * CSV as it is really written (RFC 4180 and what spreadsheets and databases add), as a stream: text comes in pieces, rows go out. Memory is
 * bounded by the limits below whatever the file holds. A row that breaks a rule is answered with its fault and the next row is
 * read as if nothing had been; nothing is dropped without a word.
 */
export interface CsvRow {
  /** Line on which the row begins, counted from 1. */
  readonly line: number;
  readonly fields: readonly string[];
  readonly fault?: CsvFault;
}

export interface CsvFault {
  readonly reason: string;
  /** Place of the faulty field, from 0. */
  readonly field?: number;
  /** Lines the fault swallowed, where more than one. */
  readonly lines?: number;
}

/** Longest field that is read; a longer one is a fault of its row. */
export const FIELD_LENGTH_MAX = 65_536;
/** Longest row, all fields together. */
export const ROW_LENGTH_MAX = 1_048_576;
export const FIELDS_MAX = 2_000;

const QUOTE = 34;
const NEWLINE = 10;
const RETURN = 13;

type State = 'field-start' | 'plain' | 'quoted' | 'quote-in-quoted' | 'after-return';

export interface CsvReader {
  /** Reads a piece of text; calls back for every row completed by it. */
  push(text: string): void;
  /** The end of the file: the last row, and what is wrong with it. */
  end(): void;
}

export function createCsvReader(delimiter: string, onRow: (row: CsvRow) => void): CsvReader {
  return new Reader(delimiter, onRow);
}

class Reader implements CsvReader {
  readonly #delimiter: number;
  readonly #onRow: (row: CsvRow) => void;
  #state: State = 'field-start';
  #fields: string[] = [];
  /** What of the current field came with earlier pieces or before an escaped quote. */
  #kept = '';
  #rowLength = 0;
  #fault: CsvFault | undefined;
  #line = 1;
  #rowLine = 1;

  constructor(delimiter: string, onRow: (row: CsvRow) => void) {
    this.#delimiter = delimiter.charCodeAt(0);
    this.#onRow = onRow;
  }

  push(text: string): void {
    let at = 0;
    while (at < text.length) {
      switch (this.#state) {
        case 'after-return':
          if (text.charCodeAt(at) === NEWLINE) at++;
          this.#state = 'field-start';
          break;
        case 'field-start':
          at = this.#startField(text, at);
          break;
        case 'plain':
          at = this.#readPlain(text, at);
          break;
        case 'quoted':
          at = this.#readQuoted(text, at);
          break;
        case 'quote-in-quoted':
          at = this.#afterQuote(text, at);
          break;
      }
    }
  }

  end(): void {
    if (this.#state === 'quoted') {
      const lines = this.#line - this.#rowLine + 1;
      this.#fault = {
        reason: `a quotation mark opened in line ${this.#rowLine} is never closed, so everything after it was left out`,
        field: this.#fields.length,
        lines,
      };
    }
    const begun =
      this.#fields.length > 0 || this.#kept !== '' || this.#state === 'quoted' || this.#state === 'quote-in-quoted';
    if (begun || this.#state === 'plain') this.#endRow();
  }

  #startField(text: string, at: number): number {
    if (text.charCodeAt(at) === QUOTE) {
      this.#state = 'quoted';
      return at + 1;
    }
    this.#state = 'plain';
    return at;
  }

  #readPlain(text: string, from: number): number {
    let at = from;
    for (; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      if (unit === this.#delimiter || unit === NEWLINE || unit === RETURN) break;
    }
    this.#keep(text, from, at);
    return at < text.length ? this.#endField(text.charCodeAt(at), at + 1) : at;
  }

  #readQuoted(text: string, from: number): number {
    const quote = text.indexOf('"', from);
    const to = quote < 0 ? text.length : quote;
    for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) this.#line++;
    this.#keep(text, from, to);
    if (quote < 0) return text.length;
    this.#state = 'quote-in-quoted';
    return quote + 1;
  }

  #afterQuote(text: string, at: number): number {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) {
      this.#keep('"', 0, 1);
      this.#state = 'quoted';
      return at + 1;
    }
    if (unit === this.#delimiter || unit === NEWLINE || unit === RETURN) return this.#endField(unit, at + 1);
    // Blanks between the closing quote and the delimiter are harmless; anything else makes the field's end a guess.
    if (unit === 32 || unit === 9) return at + 1;
    this.#blame('there is text after a closing quotation mark');
    this.#state = 'plain';
    return at;
  }

  #keep(text: string, from: number, to: number): void {
    this.#rowLength += to - from;
    if (this.#kept.length + to - from > FIELD_LENGTH_MAX) {
      this.#blame(`a field is longer than ${FIELD_LENGTH_MAX} characters`);
      this.#kept = this.#kept.slice(0, 100);
    } else if (this.#rowLength > ROW_LENGTH_MAX) {
      this.#blame(`the row is longer than ${ROW_LENGTH_MAX} characters`);
      this.#kept = '';
    } else {
      this.#kept += text.slice(from, to);
    }
  }

  #blame(reason: string): void {
    this.#fault ??= { reason, field: this.#fields.length };
  }

  /** Ends a field at a delimiter or line end; answers the position to go on from. */
  #endField(unit: number, next: number): number {
    if (this.#fields.length < FIELDS_MAX) this.#fields.push(this.#kept);
    else this.#blame(`the row has more than ${FIELDS_MAX} fields`);
    this.#kept = '';
    this.#state = 'field-start';
    if (unit === this.#delimiter) return next;
    this.#finishRow();
    this.#line++;
    this.#rowLine = this.#line;
    this.#state = unit === RETURN ? 'after-return' : 'field-start';
    return next;
  }

  #endRow(): void {
    this.#fields.push(this.#kept);
    this.#kept = '';
    this.#finishRow();
  }

  #finishRow(): void {
    const row: CsvRow = {
      line: this.#rowLine,
      fields: this.#fields,
      ...(this.#fault !== undefined && { fault: this.#fault }),
    };
    const blank = this.#fields.length === 1 && this.#fields[0]?.trim() === '' && this.#fault === undefined;
    this.#fields = [];
    this.#fault = undefined;
    this.#rowLength = 0;
    if (!blank) this.#onRow(row);
  }
}
