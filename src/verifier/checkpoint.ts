import { concatBytes, equalBytes, fromBase64, fromHex, toBase64, toHex, utf8Encode } from '../kernel/bytes.ts';
import { HASH_BYTES, type Sha256 } from './merkle.ts';

/**
 * Checkpoints: C2SP tlog-checkpoint in a C2SP signed note. The body is origin, size, root in base64 and one extension line of
 * ours, `signed-at 2026-01-31T09:30:00.000Z`, which lets a verifier see events that were given a time long before they came.
 */
export interface CheckpointBody {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  readonly signedAt: string;
}

export interface NoteSignature {
  readonly name: string;
  /** First four bytes of the signature line: which of the name's keys signed. */
  readonly keyId: Uint8Array;
  readonly signature: Uint8Array;
}

export interface Checkpoint extends Omit<CheckpointBody, 'signedAt'> {
  /** Undefined in checkpoints of other logs, which need not say it. */
  readonly signedAt: string | undefined;
  /** What was signed, UTF-8. */
  readonly message: Uint8Array;
  readonly signatures: readonly NoteSignature[];
}

/** Name and key by which checkpoints are verified; text form `<name>+<key id hex>+<base64(0x01 ‖ public key)>`. */
export interface VerifierKey {
  readonly name: string;
  readonly keyId: Uint8Array;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
}

const ED25519 = 0x01;
const KEY_ID_BYTES = 4;
const SIGNATURE_BYTES = 64;
const SIGNED_AT = /^signed-at (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)$/;
/** Names stand in one line and are split at spaces and plus signs. */
const NAME = /^[^\s+\p{Cc}]{1,255}$/u;

/** The text that is signed; ends with a line feed. */
export function checkpointText(body: CheckpointBody): string {
  return `${body.origin}\n${body.size}\n${toBase64(body.root)}\nsigned-at ${body.signedAt}\n`;
}

/** Puts the signature line under the text. */
export function signedNote(text: string, key: VerifierKey, signature: Uint8Array): string {
  return `${text}\n— ${key.name} ${toBase64(concatBytes(key.keyId, signature))}\n`;
}

/** Undefined unless the note is a checkpoint to the letter. Says nothing about its signatures. */
export function parseCheckpoint(note: string): Checkpoint | undefined {
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || note.length > 65_536) return undefined;
  const text = note.slice(0, end + 1);
  const [origin = '', size = '', root = '', ...extensions] = text.slice(0, -1).split('\n');
  const rootBytes = fromBase64(root);
  const signedAt = extensions.map((line) => SIGNED_AT.exec(line)?.[1]).find((match) => match !== undefined);
  const signatures = parseSignatures(note.slice(end + 2));
  if (!NAME.test(origin) || !/^(0|[1-9]\d{0,15})$/.test(size) || extensions.includes('')) return undefined;
  if (rootBytes?.length !== HASH_BYTES || signatures === undefined) return undefined;
  if (!Number.isSafeInteger(Number(size))) return undefined;
  return { origin, size: Number(size), root: rootBytes, signedAt, message: utf8Encode(text), signatures };
}

function parseSignatures(lines: string): NoteSignature[] | undefined {
  if (!lines.endsWith('\n')) return undefined;
  const signatures: NoteSignature[] = [];
  for (const line of lines.slice(0, -1).split('\n')) {
    const match = /^— (\S+) (\S+)$/u.exec(line);
    const bytes = match?.[2] === undefined ? undefined : fromBase64(match[2]);
    if (match?.[1] === undefined || bytes === undefined || bytes.length <= KEY_ID_BYTES) return undefined;
    signatures.push({
      name: match[1],
      keyId: bytes.slice(0, KEY_ID_BYTES),
      signature: bytes.slice(KEY_ID_BYTES),
    });
  }
  return signatures;
}

/** Key id of C2SP signed-note: the first four bytes of SHA-256(name ‖ LF ‖ 0x01 ‖ public key). */
export function verifierKey(sha256: Sha256, name: string, publicKey: Uint8Array): VerifierKey {
  if (!NAME.test(name)) throw new RangeError('A note is signed under a name without spaces and plus signs');
  const hashed = sha256(concatBytes(utf8Encode(`${name}\n`), Uint8Array.of(ED25519), publicKey));
  return { name, keyId: new Uint8Array(hashed.subarray(0, KEY_ID_BYTES)), publicKey };
}

export function printVerifierKey(key: VerifierKey): string {
  return `${key.name}+${toHex(key.keyId)}+${toBase64(concatBytes(Uint8Array.of(ED25519), key.publicKey))}`;
}

/** Undefined unless the text is a key of the kind used here whose id is right. */
export function parseVerifierKey(sha256: Sha256, text: string): VerifierKey | undefined {
  const [name = '', id = '', ...rest] = text.split('+');
  const typed = fromBase64(rest.join('+'));
  const keyId = fromHex(id);
  if (!NAME.test(name) || typed?.length !== 33 || typed[0] !== ED25519 || keyId === undefined) return undefined;
  const key = verifierKey(sha256, name, typed.slice(1));
  return equalBytes(key.keyId, keyId) ? key : undefined;
}

/** The signature that this key is said to have made; the caller checks it over `checkpoint.message` with Ed25519. */
export function signatureBy(checkpoint: Checkpoint, key: VerifierKey): Uint8Array | undefined {
  if (checkpoint.origin !== key.name) return undefined;
  return checkpoint.signatures.find(
    (line) => line.name === key.name && equalBytes(line.keyId, key.keyId) && line.signature.length === SIGNATURE_BYTES,
  )?.signature;
}
