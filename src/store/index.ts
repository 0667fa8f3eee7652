/** Sealed, versioned, blind-indexed FHIR resources, and the keys they are sealed with. */
export type { SealContext } from '../crypto/index.ts';
/** Seals, opens, blinds; see `KeyRing`. */
export { createKeyRing, type KeyRing, type KeySet } from './key-ring.ts';
/** Opens the keys of a database. */
export { type KeyVault, openKeyVault } from './key-vault.ts';
export type {
  ResealBatch,
  ResealParticipant,
  ResealProgress,
  ResourceWrite,
  StoredResource,
  TokenQuery,
} from './model.ts';
export { type PackedRows, type PackedWrites, packWrites, writePacked } from './packed-writes.ts';
export { createResourceStore, type PreparedWrites, type ResourceStore } from './resource-store.ts';
/** Where the root key comes from. */
export { type RootKeySource, rootKeyFile, rootKeyFromPassphrase } from './root-key.ts';
/** The store's own rows in a rotation; the registry says which tokens a resource has. */
export { createResourceParticipants } from './resource-reseal.ts';
/** Rotation of every kind of key. */
export {
  createKeyRotation,
  type KeyRotation,
  type ResealReport,
  type RotationStatus,
} from './rotation.ts';
