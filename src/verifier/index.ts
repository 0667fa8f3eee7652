/**
 * Checks the audit log from outside: Merkle proofs, tiles, leaves and checkpoints as formats/audit-tree.md lays them down.
 * Pure; hashing and signatures come in as functions, so Node, the command line and a browser page run the same code.
 */
export { type AddCheckpoint, parseAddCheckpoint, printAddCheckpoint } from './add-checkpoint.ts';
export {
  type Checkpoint,
  type CheckpointBody,
  checkpointText,
  parseCheckpoint,
  parseVerifierKey,
  printVerifierKey,
  signatureBy,
  signedNote,
  type VerifierKey,
  verifierKey,
} from './checkpoint.ts';
export {
  type Cosignature,
  cosignatureBy,
  cosignatureLine,
  cosignedMessage,
  parseWitnessKey,
  printWitnessKey,
  type WitnessKey,
  witnessKey,
} from './cosignature.ts';
export { encodeLeaf, type Leaf, NONCE_BYTES, parseLeaf } from './leaf.ts';
export { EXPORT_FORMAT } from './exported-event.ts';
export { type CompactRange, createCompactRange, createMerkle, HASH_BYTES, type Merkle } from './merkle.ts';
export {
  type NodeReader,
  proveConsistency,
  proveInclusion,
  verifyConsistency,
  verifyInclusion,
} from './proofs.ts';
export {
  encodeEntries,
  hashesAtLevel,
  parseEntries,
  parseTilePath,
  TILE_WIDTH,
  tilePath,
} from './tile.ts';
