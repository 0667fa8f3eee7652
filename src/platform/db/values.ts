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

/**
 * Writes a parameter the way the driver sends it fastest: arrays of numbers become a literal without quoting, dates UTC text.
 * Everything else the driver does well.
 */
export function parameter(value: SqlValue): unknown {
  if (Array.isArray(value)) {
    const first: unknown = value[0];
    if (typeof first === 'bigint' || typeof first === 'number') return numberArray(value);
    return value;
  }
  return value instanceof Date ? value.toISOString() : value;
}

function numberArray(values: readonly SqlValue[]): string {
  let text = '{';
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    text += `${i > 0 ? ',' : ''}${value === null || value === undefined ? 'NULL' : String(value)}`;
  }
  return `${text}}`;
}
