import { concatBytes, equalBytes, fromBase64, fromHex, toBase64, toHex, utf8Encode } from '../kernel/bytes.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Sha256 } from './merkle.ts';

/**
 * C2SP tlog-cosignature, `cosignature/v1`: what a witness puts under a checkpoint that it found consistent with all it saw before.
 * The signature is Ed25519 over a header, the witness's clock and the checkpoint's text; its line carries the time.
 */
export interface WitnessKey {
  readonly name: string;
  readonly keyId: Uint8Array;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
}

export interface Cosignature {
  /** By the witness's clock. */
  readonly unixSeconds: number;
  readonly signature: Uint8Array;
}

const COSIGNATURE = 0x04;
const KEY_ID_BYTES = 4;
const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;
const NAME = /^[^\s+\p{Cc}]{1,255}$/u;

/** Key id: the first four bytes of SHA-256(name ‖ LF ‖ 0x04 ‖ public key). */
export function witnessKey(sha256: Sha256, name: string, publicKey: Uint8Array): WitnessKey {
  if (!NAME.test(name)) throw new RangeError('A witness has a name without spaces and plus signs');
  const hashed = sha256(concatBytes(utf8Encode(`${name}\n`), Uint8Array.of(COSIGNATURE), publicKey));
  return { name, keyId: new Uint8Array(hashed.subarray(0, KEY_ID_BYTES)), publicKey };
}

export function printWitnessKey(key: WitnessKey): string {
  return `${key.name}+${toHex(key.keyId)}+${toBase64(concatBytes(Uint8Array.of(COSIGNATURE), key.publicKey))}`;
}

/** Undefined unless the text is a witness's key whose id is right. */
export function parseWitnessKey(sha256: Sha256, text: string): WitnessKey | undefined {
  const [name = '', id = '', ...rest] = text.split('+');
  const typed = fromBase64(rest.join('+'));
  const keyId = fromHex(id);
  if (!NAME.test(name) || typed?.length !== 33 || typed[0] !== COSIGNATURE || keyId === undefined) return undefined;
  const key = witnessKey(sha256, name, typed.slice(1));
  return equalBytes(key.keyId, keyId) ? key : undefined;
}

/** What the witness signs. `message` is the checkpoint's text with its last line feed. */
export function cosignedMessage(message: Uint8Array, unixSeconds: number): Uint8Array {
  return concatBytes(utf8Encode(`cosignature/v1\ntime ${unixSeconds}\n`), message);
}

/** The note line, with line feed. */
export function cosignatureLine(key: WitnessKey, { unixSeconds, signature }: Cosignature): string {
  const time = new Uint8Array(TIME_BYTES);
  new DataView(time.buffer).setBigUint64(0, BigInt(unixSeconds));
  return `— ${key.name} ${toBase64(concatBytes(key.keyId, time, signature))}\n`;
}

/** What this witness is said to have signed; the caller checks the signature over `cosignedMessage`. */
export function cosignatureBy(checkpoint: Pick<Checkpoint, 'signatures'>, key: WitnessKey): Cosignature | undefined {
  const line = checkpoint.signatures.find(
    ({ name, keyId, signature }) =>
      name === key.name && equalBytes(keyId, key.keyId) && signature.length === TIME_BYTES + SIGNATURE_BYTES,
  );
  if (line === undefined) return undefined;
  const { buffer, byteOffset } = line.signature;
  const unixSeconds = Number(new DataView(buffer, byteOffset).getBigUint64(0));
  return { unixSeconds, signature: line.signature.subarray(TIME_BYTES) };
}
