/** A witness (C2SP tlog-witness): keeps the newest head of logs it does not trust, and signs only what grew out of it. */
import { ed25519PublicKey, sha256 } from '../../crypto/index.ts';
import type { Clock } from '../../kernel/time.ts';
import type { SmallReply } from '../../platform/small-http/index.ts';
import {
  cosignatureLine,
  cosignedMessage,
  createMerkle,
  parseAddCheckpoint,
  parseCheckpoint,
  printWitnessKey,
  signatureBy,
  type VerifierKey,
  witnessKey,
} from '../../verifier/index.ts';
import { decide } from './rules.ts';
import { openWitnessState } from './state-file.ts';

export interface Witness {
  /** To be put into the settings of the log: `<name>+<id>+<key>`. */
  readonly verifierKey: string;
  /** Answers one HTTP request: `POST /add-checkpoint`. */
  handle(request: { readonly method: string; readonly path: string; readonly body: string }): Promise<SmallReply>;
}

export interface WitnessOptions {
  /** Name the witness signs under: its host name. */
  readonly name: string;
  /** Directory of its key and of what it saw. */
  readonly directory: string;
  /** The logs it watches. */
  readonly logs: readonly VerifierKey[];
  readonly clock: Clock;
}

const merkle = createMerkle(sha256);
const EMPTY = { size: 0, root: merkle.emptyRoot };

/** Opens a witness. Throws Problem('internal', 'witness-state-damaged') when it cannot tell what it signed before. */
export async function openWitness({ name, directory, logs, clock }: WitnessOptions): Promise<Witness> {
  const state = await openWitnessState(directory);
  const key = witnessKey(sha256, name, state.key.publicKey.bytes);
  const known = new Map(logs.map((log) => [log.name, { log, verifier: ed25519PublicKey(log.publicKey) }]));
  // One after the other: between looking at what was seen and remembering the next, nothing else may be signed.
  let queue: Promise<unknown> = Promise.resolve();

  async function addCheckpoint(body: string): Promise<SmallReply> {
    const asked = parseAddCheckpoint(body);
    const checkpoint = asked === undefined ? undefined : parseCheckpoint(asked.note);
    if (asked === undefined || checkpoint === undefined) return reply(400, 'This is no add-checkpoint request.');
    const from = known.get(checkpoint.origin);
    if (from === undefined) return reply(404, 'This witness does not watch that log.');
    const signature = signatureBy(checkpoint, from.log);
    if (signature === undefined || !from.verifier.verify(checkpoint.message, signature)) {
      return reply(403, 'The checkpoint is not signed by its log.');
    }
    const decision = decide(merkle, state.seen(checkpoint.origin) ?? EMPTY, asked, checkpoint);
    if (decision.kind === 'refuse') return reply(decision.status, decision.why);
    if (decision.kind === 'conflict') {
      return { status: 409, contentType: 'text/x.tlog.size', body: `${decision.size}\n` };
    }
    await state.remember(checkpoint.origin, { size: checkpoint.size, root: checkpoint.root });
    const unixSeconds = Math.floor(clock.nowMs() / 1000);
    const signed = state.key.sign(cosignedMessage(checkpoint.message, unixSeconds));
    return { status: 200, body: cosignatureLine(key, { unixSeconds, signature: signed }) };
  }

  return {
    verifierKey: printWitnessKey(key),
    async handle({ method, path, body }) {
      if (path !== '/add-checkpoint') return reply(404, 'There is only POST /add-checkpoint here.');
      if (method !== 'POST') return reply(405, 'POST is the only method here.');
      const done = queue.then(() => addCheckpoint(body));
      queue = done.catch(() => undefined);
      return await done;
    },
  };
}

const reply = (status: number, text: string): SmallReply => ({ status, body: `${text}\n` });
