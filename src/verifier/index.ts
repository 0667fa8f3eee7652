/**
 * Checks the audit log from outside: Merkle proofs, tiles, leaves and checkpoints as formats/audit-tree.md lays them down.
 * Pure; hashing and signatures come in as functions, so Node, the command line and a browser page run the same code.
 */
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
export { encodeLeaf, type Leaf, NONCE_BYTES, parseLeaf } from './leaf.ts';
export { type CompactRange, createCompactRange, createMerkle, HASH_BYTES, type Merkle, type Sha256 } from './merkle.ts';
export {
  type ConsistencyClaim,
  type InclusionClaim,
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
  type TileAddress,
  tilePath,
} from './tile.ts';
