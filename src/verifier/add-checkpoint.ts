import { fromBase64, toBase64 } from '../kernel/bytes.ts';
import { HASH_BYTES } from './merkle.ts';

/** C2SP tlog-witness: the body of `POST /add-checkpoint`. */
export interface AddCheckpoint {
  /** Size that the log thinks the witness saw last; 0 at first. */
  readonly oldSize: number;
  readonly proof: readonly Uint8Array[];
  /** A signed note. */
  readonly note: string;
}

/** A consistency proof of a tree of up to 2^53 leaves has at most so many hashes. */
const PROOF_MAX = 63;

export function printAddCheckpoint({ oldSize, proof, note }: AddCheckpoint): string {
  return `old ${oldSize}\n${proof.map((hash) => `${toBase64(hash)}\n`).join('')}\n${note}`;
}

/** Undefined unless the text is such a body to the letter. Says nothing about the note. */
export function parseAddCheckpoint(text: string): AddCheckpoint | undefined {
  const end = text.indexOf('\n\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = text.slice(0, end).split('\n');
  const old = /^old (0|[1-9]\d{0,15})$/.exec(first)?.[1];
  if (old === undefined || !Number.isSafeInteger(Number(old)) || lines.length > PROOF_MAX) return undefined;
  const proof = lines.map(fromBase64);
  if (!proof.every((hash): hash is Uint8Array<ArrayBuffer> => hash?.length === HASH_BYTES)) return undefined;
  return { oldSize: Number(old), proof, note: text.slice(end + 2) };
}
