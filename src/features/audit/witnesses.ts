import { sha256 } from '../../crypto/index.ts';
import { type Clock, instant } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/sql.ts';
import type { SmallReply, SmallRequest } from '../../platform/small-http/index.ts';
import { parseWitnessKey } from '../../verifier/index.ts';
import { askWitness, type KnownWitness } from './ask-witness.ts';
import { newestBy } from './cosignature-store.ts';
import { readHead } from './tree-store.ts';
import type { AuditWitness } from './wire.ts';

/** Somebody outside who keeps our heads (C2SP tlog-witness). */
export interface WitnessSetting {
  /** Where `/add-checkpoint` is appended. */
  readonly url: string;
  /** `<name>+<id>+<key>`, as `careseal witness` prints it. */
  readonly key: string;
  /** Authority (PEM) to trust beside the public ones, read anew for each question. Rejects with an Error that says why not. */
  readonly authorityPem?: (() => Promise<string>) | undefined;
}

export interface Witnesses {
  /** Asks every witness that has not seen the newest head; answers when all have answered or failed. Never rejects. */
  ask(): Promise<void>;
  /** How each of them stands. */
  states(): Promise<AuditWitness[]>;
  /** Asks now and then, until `stop`. */
  start(): void;
  stop(): Promise<void>;
}

export interface WitnessesDeps {
  readonly database: Database;
  readonly clock: Clock;
  readonly settings: readonly WitnessSetting[];
  readonly post: (request: SmallRequest) => Promise<SmallReply>;
  readonly everyMs?: number;
}

const EVERY_MS = 30_000;
/** The first time: once the start itself is under a head. */
const FIRST_MS = 3_000;
/** A witness that signed nothing for so long, while the log grew, counts as silent. */
const SILENT_MS = 15 * 60_000;

/** Throws RangeError when a key is none: at start, not when the first head is due. */
export function createWitnesses(deps: WitnessesDeps): Witnesses {
  const { database, clock, everyMs = EVERY_MS } = deps;
  const witnesses = deps.settings.map(known);
  const failures = new Map<string, string>();
  const startedMs = clock.nowMs();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  async function ask(): Promise<void> {
    const head = await readHead(database).catch(() => undefined);
    if (head === undefined) return;
    await Promise.all(
      witnesses.map(async (witness) => {
        try {
          await askWitness({ database, post: deps.post }, witness, head);
          failures.delete(witness.key.name);
        } catch (error) {
          failures.set(witness.key.name, error instanceof Error ? error.message : 'failed');
        }
      }),
    );
  }

  function schedule(inMs: number): void {
    timer = setTimeout(() => {
      running = ask().then(() => schedule(everyMs));
    }, inMs);
    timer.unref();
  }

  return {
    ask,
    async states() {
      const head = await readHead(database);
      return await Promise.all(
        witnesses.map(async ({ key }) => {
          const last = await newestBy(database, key.name);
          const behind = head !== undefined && head.size > (last?.size ?? 0);
          const sinceMs = last?.signedAtMs ?? startedMs;
          const failure = failures.get(key.name);
          return {
            name: key.name,
            size: last?.size ?? 0,
            ...(last === undefined ? {} : { cosignedAt: instant(last.signedAtMs) }),
            ...(behind && clock.nowMs() - sinceMs > SILENT_MS ? { silentSince: instant(sinceMs) } : {}),
            ...(failure === undefined ? {} : { failure }),
          };
        }),
      );
    },
    start() {
      if (witnesses.length > 0) schedule(FIRST_MS);
    },
    async stop() {
      clearTimeout(timer);
      await running;
      clearTimeout(timer);
    },
  };
}

function known({ url, key: text, authorityPem }: WitnessSetting): KnownWitness {
  const key = parseWitnessKey(sha256, text);
  if (key === undefined) throw new RangeError(`This is no key of a witness: ${text}`);
  return { key, url, authorityPem };
}
