/** The only door to node:crypto and WebCrypto. Browsers use `portable.ts`. */
export { webcrypto as webCrypto } from 'node:crypto';
export { OpensslCertificate, openKeyFile, sealKeyFile } from './certificate.ts';
export { type BlindKey, blindKey, hmacKey, hmacSha256 } from './blind.ts';
export {
  type Ed25519PrivateKey,
  ed25519PrivateKey,
  ed25519PublicKey,
  newEd25519Seed,
} from './ed25519.ts';
export { createSha256, hashToken, sha256, sha256Hex, sha512Hex, timingSafeEqual } from './hash.ts';
export {
  createPasswordHasher,
  keyFromPassphrase,
  PASSPHRASE_COSTS,
  type PasswordHasher,
} from './passwords.ts';
export { newId, pooledRandomInto, randomBytes, randomToken } from './random.ts';
export {
  open,
  SEAL_OVERHEAD_BYTES,
  type SealContext,
  type SealedAtRest,
  type SealingKey,
  seal,
  sealedAtRest,
  sealKeyId,
} from './seal.ts';
export { exportSecretKey, hkdfSha256, newSecretKey, type SecretKey, secretKey } from './secret-key.ts';
