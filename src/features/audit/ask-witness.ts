import { ed25519PublicKey } from '../../crypto/index.ts';
import type { Database } from '../../platform/db/sql.ts';
import type { SmallReply, SmallRequest } from '../../platform/small-http/index.ts';
import {
  cosignatureBy,
  cosignedMessage,
  parseCheckpoint,
  printAddCheckpoint,
  proveConsistency,
  type WitnessKey,
} from '../../verifier/index.ts';
import { insertCosignature, newestBy } from './cosignature-store.ts';
import { createNodeReader, merkle } from './tile-reader.ts';
import type { CheckpointRow } from './tree-store.ts';

export interface KnownWitness {
  readonly key: WitnessKey;
  readonly url: string;
  readonly authorityPem?: (() => Promise<string>) | undefined;
}

export interface Asking {
  readonly database: Database;
  readonly post: (request: SmallRequest) => Promise<SmallReply>;
}

/** Has a witness sign this head, with the proof that it grew out of the one it signed last. Throws an Error that says why not. */
export async function askWitness(deps: Asking, witness: KnownWitness, head: CheckpointRow): Promise<void> {
  const { database } = deps;
  const { key } = witness;
  const last = await newestBy(database, key.name);
  if (last?.size === head.size) return;
  let answer = await send(deps, { witness, head, oldSize: last?.size ?? 0 });
  if (answer.status === 409) {
    // It remembers another size than we do: a database that was put back, or a witness that was.
    const size = Number(answer.body.trim());
    if (!Number.isSafeInteger(size) || size > head.size) throw new Error(`knows a larger log (${size}) than this one`);
    if (size === head.size) throw new Error('knows another log of this size');
    answer = await send(deps, { witness, head, oldSize: size });
  }
  if (answer.status !== 200) throw new Error(`answered ${answer.status}`);
  await keep(database, { key, head, lines: answer.body });
}

interface Question {
  readonly witness: KnownWitness;
  readonly head: CheckpointRow;
  readonly oldSize: number;
}

async function send({ database, post }: Asking, { witness, head, oldSize }: Question): Promise<SmallReply> {
  const proof = await proveConsistency(merkle, createNodeReader(database, head.size), {
    from: oldSize,
    to: head.size,
  });
  const body = printAddCheckpoint({ oldSize, proof, note: head.note });
  const url = `${witness.url.replace(/\/$/, '')}/add-checkpoint`;
  const authorityPem = await witness.authorityPem?.();
  return await post({ url, body, ...(authorityPem === undefined ? {} : { authorityPem }) });
}

interface Answer {
  readonly key: WitnessKey;
  readonly head: CheckpointRow;
  readonly lines: string;
}

async function keep(database: Database, { key, head, lines }: Answer): Promise<void> {
  const checkpoint = parseCheckpoint(head.note + (lines.endsWith('\n') ? lines : `${lines}\n`));
  const signed = checkpoint === undefined ? undefined : cosignatureBy(checkpoint, key);
  const genuine =
    signed !== undefined &&
    checkpoint !== undefined &&
    ed25519PublicKey(key.publicKey).verify(cosignedMessage(checkpoint.message, signed.unixSeconds), signed.signature);
  if (!genuine) throw new Error('answered without its signature');
  const line = lines.split('\n').find((one) => one.startsWith(`— ${key.name} `)) ?? '';
  const row = { size: head.size, witness: key.name, line: `${line}\n`, signedAtMs: signed.unixSeconds * 1000 };
  await insertCosignature(database, row);
}
