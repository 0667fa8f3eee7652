import { ed25519PrivateKey, newEd25519Seed, sealedAtRest, sha256 } from '../../crypto/index.ts';
import { equalBytes, utf8Encode } from '../../kernel/bytes.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Sql } from '../../platform/db/sql.ts';
import { statement } from '../../platform/db/sql.ts';
import type { KeyRing } from '../../store/index.ts';
import {
  type CheckpointBody,
  checkpointText,
  signedNote,
  type VerifierKey,
  verifierKey,
} from '../../verifier/index.ts';

/** Signs checkpoints with the log's one Ed25519 key. The database holds it sealed, so its owner cannot sign a head of his own. */
export interface Signer {
  readonly key: VerifierKey;
  sign(body: Omit<CheckpointBody, 'origin'>): string;
  verify(message: Uint8Array, signature: Uint8Array): boolean;
}

const READ = statement<{ origin: string; publicKey: Buffer; sealedSeed: Buffer }>(
  'audit.signer',
  'SELECT origin, public_key AS "publicKey", sealed_seed AS "sealedSeed" FROM audit.signer WHERE id = 1',
);
const CREATE = statement(
  'audit.create-signer',
  `INSERT INTO audit.signer (id, origin, public_key, sealed_seed, created_at) VALUES (1, $1, $2, $3, $4)
   ON CONFLICT (id) DO NOTHING`,
);

const place = (origin: string) => ({ table: 'audit.signer', type: origin, id: '1', version: 1 });

/** Reads the signer; undefined before the first checkpoint. Throws when the row was changed: its seal or its public key is wrong. */
export async function readSigner(sql: Sql, keyRing: KeyRing): Promise<Signer | undefined> {
  const row = (await sql.rows(READ))[0];
  if (row === undefined) return undefined;
  const privateKey = ed25519PrivateKey(keyRing.open(sealedAtRest(row.sealedSeed), place(row.origin)));
  if (!equalBytes(privateKey.publicKey.bytes, row.publicKey)) throw new Error('The log signer has another public key');
  const key = verifierKey(sha256, row.origin, privateKey.publicKey.bytes);
  return {
    key,
    sign(body) {
      const text = checkpointText({ ...body, origin: key.name });
      return signedNote(text, key, privateKey.sign(utf8Encode(text)));
    },
    verify: (message, signature) => privateKey.publicKey.verify(message, signature),
  };
}

interface NewSigner {
  readonly keyRing: KeyRing;
  readonly clock: Clock;
  /** `https://host:port`: the log's origin is this without its scheme. The origin stays, whatever the host is called later. */
  readonly baseUrl: string;
}

/** Reads the signer or makes it. Two processes that do so at once end up with the same one. */
export async function ensureSigner(sql: Sql, { keyRing, clock, baseUrl }: NewSigner): Promise<Signer> {
  const known = await readSigner(sql, keyRing);
  if (known !== undefined) return known;
  const origin = `${new URL(baseUrl).host}/audit/log`;
  const seed = newEd25519Seed();
  const publicKey = ed25519PrivateKey(seed).publicKey.bytes;
  await sql.run(CREATE, [origin, publicKey, keyRing.seal(seed, place(origin)), new Date(clock.nowMs())]);
  seed.fill(0);
  const made = await readSigner(sql, keyRing);
  if (made === undefined) throw new Error('The log signer could not be made');
  return made;
}
