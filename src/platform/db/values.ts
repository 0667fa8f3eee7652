import type { CustomTypesConfig } from 'pg';
import pg from 'pg';
import type { SqlValue } from './sql.ts';

const OID = { bool: 16, bytea: 17, int8: 20, int8Array: 1016, date: 1082, numeric: 1700 } as const;

function bigints(text: string): bigint[] {
  return text.length <= 2 ? [] : text.slice(1, -1).split(',').map(BigInt);
}

function bytes(text: string): Buffer {
  // bytea_output is `hex` on our connections: "\x…".
  return Buffer.from(text.slice(2), 'hex');
}

/** How result columns become JavaScript values; the driver's own choices would lose digits of int8 and shift dates. */
export const COLUMN_TYPES: CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (format !== 'binary') {
      if (oid === OID.int8) return BigInt;
      if (oid === OID.int8Array) return bigints;
      if (oid === OID.bytea) return bytes;
      if (oid === OID.date || oid === OID.numeric) return String;
    }
    const own: unknown = pg.types.getTypeParser(oid, format);
    return own;
  },
};

/** Writes a parameter the way the driver sends it fastest: arrays become a literal, dates UTC text. The rest the driver does well. */
export function parameter(value: SqlValue): unknown {
  if (Array.isArray(value)) return arrayLiteral(value);
  return value instanceof Date ? value.toISOString() : value;
}

/** PostgreSQL's text form of an array (its manual, 8.15.2). */
function arrayLiteral(values: readonly SqlValue[]): string {
  let text = '{';
  for (let i = 0; i < values.length; i++) {
    if (i > 0) text += ',';
    text += element(values[i] ?? null);
  }
  return `${text}}`;
}

/** Ids, numbers and plain words need no quotes. */
const PLAIN = /^[0-9A-Za-z-]+$/;

function element(value: SqlValue): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string')
    return PLAIN.test(value) && !(value.length === 4 && value.toUpperCase() === 'NULL') ? value : quoted(value);
  if (value instanceof Date) return `"${value.toISOString()}"`;
  if (value instanceof Uint8Array) return `"\\\\x${hex(value)}"`;
  return Array.isArray(value) ? arrayLiteral(value) : String(value);
}

const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
