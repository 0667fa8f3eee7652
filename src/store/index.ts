/** Sealed, versioned, blind-indexed FHIR resources, and the keys they are sealed with. */
export type { SealContext, SealedAtRest } from '../crypto/index.ts';
/** Seals, opens, blinds; see `KeyRing`. */
export type { KeyRing } from './key-ring.ts';
/** Opens the keys of a database. */
export { type KeyVault, type KeyVaultDeps, openKeyVault } from './key-vault.ts';
export type {
  ResealBatch,
  ResealParticipant,
  ResealProgress,
  ResourceWrite,
  RotationKind,
  StoredResource,
  TokenQuery,
} from './model.ts';
export { type CountQuery, createResourceStore, type HistoryPage, type ResourceStore } from './resource-store.ts';
/** Where the root key comes from. */
export { type RootKeySource, rootKeyFile, rootKeyFromPassphrase } from './root-key.ts';
/** The store's own rows in a rotation; the registry says which tokens a resource has. */
export { createResourceParticipants, type ResourceResealDeps } from './resource-reseal.ts';
/** Rotation of every kind of key. */
export {
  createKeyRotation,
  type KeyRotation,
  type KeyRotationDeps,
  type ResealOptions,
  type ResealReport,
  type RotationStatus,
} from './rotation.ts';
export type { RotationPart } from './rotation-table.ts';
