import { equalBytes } from '../../kernel/bytes.ts';
import { type AddCheckpoint, type Checkpoint, type Merkle, verifyConsistency } from '../../verifier/index.ts';

/** What a witness remembers of one log. */
export interface SeenHead {
  readonly size: number;
  readonly root: Uint8Array;
}

/** C2SP tlog-witness: the answers there are, each with its status. */
export type Decision =
  | { readonly kind: 'sign' }
  | { readonly kind: 'refuse'; readonly status: 400 | 422; readonly why: string }
  /** The log thinks of another size than this witness saw; the answer tells it which. */
  | { readonly kind: 'conflict'; readonly size: number };

/**
 * Decides on a checkpoint whose log is known and whose signature was verified. Signs nothing that is not all it saw before and more: a
 * log that shows one history to one person and another to the next gets no second signature.
 */
export function decide(merkle: Merkle, seen: SeenHead, asked: AddCheckpoint, checkpoint: Checkpoint): Decision {
  const { oldSize, proof } = asked;
  if (oldSize > checkpoint.size) return refuse(400, 'The old size is larger than the checkpoint.');
  if (oldSize !== seen.size) return { kind: 'conflict', size: seen.size };
  if (oldSize === checkpoint.size && !equalBytes(seen.root, checkpoint.root)) {
    return { kind: 'conflict', size: seen.size };
  }
  const grown = verifyConsistency(merkle, { from: seen, to: checkpoint, path: proof });
  return grown ? { kind: 'sign' } : refuse(422, 'The proof does not show that the log only grew.');
}

const refuse = (status: 400 | 422, why: string): Decision => ({ kind: 'refuse', status, why });
