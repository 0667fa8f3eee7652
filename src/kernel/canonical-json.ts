import { utf8Encode } from './bytes.ts';

/**
 * JSON Canonicalization Scheme (RFC 8785): the one text of a JSON value, for everything that is hashed or signed.
 * Refuses what has no canonical text instead of dropping it as `JSON.stringify` does, because a value that silently
 * vanishes from the signed text is a value an attacker may change.
 */
export function canonicalJson(value: unknown): string {
  return serialise(value, 0);
}

/** The canonical text as UTF-8, ready to be hashed or signed. */
export function canonicalJsonBytes(value: unknown): Uint8Array<ArrayBuffer> {
  return utf8Encode(serialise(value, 0));
}

/** Deep enough for any FHIR resource; a cycle ends here instead of in a stack overflow. */
const DEPTH_MAX = 512;

function serialise(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return text(value);
    case 'number':
      return number(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (depth >= DEPTH_MAX) throw new TypeError('canonical JSON: nested too deeply, or a cycle');
      return Array.isArray(value) ? array(value, depth) : object(value, depth);
    default:
      throw new TypeError(`canonical JSON: a ${typeof value} has no JSON text`);
  }
}

/** §3.2.2.2: JSON.stringify escapes exactly as the scheme asks, except that it also accepts lone surrogates. */
function text(value: string): string {
  if (!value.isWellFormed()) throw new TypeError('canonical JSON: a lone surrogate has no UTF-8');
  return JSON.stringify(value);
}

/** §3.2.2.3: ECMAScript's own number text; minus zero is 0. */
function number(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError('canonical JSON: NaN and Infinity have no JSON text');
  return String(value);
}

function array(value: readonly unknown[], depth: number): string {
  let out = '[';
  for (let i = 0; i < value.length; i++) out += (i === 0 ? '' : ',') + serialise(value[i], depth + 1);
  return `${out}]`;
}

/** §3.2.3: members sorted by the UTF-16 code units of their names, which is what sort() without a comparer does. */
function object(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError('canonical JSON: only plain objects have a JSON text');
  }
  let out = '{';
  // A plain object's members are readable by name; Object.keys has just listed them.
  const members = value as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(value).sort()) {
    out += `${out.length === 1 ? '' : ','}${text(name)}:${serialise(members[name], depth + 1)}`;
  }
  return `${out}}`;
}
