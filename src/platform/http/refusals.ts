import type { Actor } from '../../kernel/principal.ts';
import type { Problem } from '../../kernel/problem.ts';
import { addressGroup } from './address.ts';

/** A request that was turned away, for the audit log. */
export interface Refusal {
  readonly actor: Actor;
  /** `authentication`: the door did not learn who it was; `request`: it knew, and refused all the same. */
  readonly stage: 'authentication' | 'request';
  readonly method: string;
  /** The declared path (`/api/clients/:id`), never the address itself; absent where no route matched. */
  readonly route?: string;
  /** The event the route would have recorded. */
  readonly event?: string;
  readonly problem: Problem;
  readonly status: number;
  /** SHA-256 of the client certificate, on the nodes' door. */
  readonly certificateSha256?: string;
  /** How many equal refusals this one stands for; above 1 only for the summary at the end of a minute. */
  readonly count: number;
}

export interface RefusalReporter {
  /** Resolves when the refusal is written, or counted towards the minute's summary. Never rejects. */
  report(refusal: Refusal): Promise<void>;
  /** Writes the summaries that are due; called by the timer and at the end. */
  flush(): Promise<void>;
  /** Writes what is due, and waits for what is being written: not everybody who reports waits for it. */
  stop(): Promise<void>;
}

interface ReporterDeps {
  readonly record: (refusal: Refusal) => Promise<void>;
  readonly onFailure: (error: unknown) => void;
  readonly keysMax?: number;
}

interface Counted {
  readonly first: Refusal;
  more: number;
}

const MINUTE_MS = 60_000;

/**
 * Refusals of known callers are written one by one: the route's limit bounds them. Those of unknown callers, and 429s of
 * anybody, could fill the audit log and the disk, so the first per (address, certificate, route, code) and minute is written at once
 * and the rest as one event with their number. No more than `keysMax` such groups are held; what comes on top of these is
 * counted together, so that a flood from many addresses stays a handful of events a minute too.
 */
export function createRefusalReporter(deps: ReporterDeps): RefusalReporter {
  const keysMax = deps.keysMax ?? 500;
  let counted = new Map<string, Counted>();
  const writing = new Set<Promise<void>>();

  function write(refusal: Refusal): Promise<void> {
    const written = recorded(refusal).finally(() => writing.delete(written));
    writing.add(written);
    return written;
  }

  async function recorded(refusal: Refusal): Promise<void> {
    try {
      await deps.record(refusal);
    } catch (error) {
      // The refusal itself stands: nothing was done and nothing was shown. That it could not be written is logged.
      deps.onFailure(error);
    }
  }

  async function report(refusal: Refusal): Promise<void> {
    if (refusal.actor.principal.kind !== 'anonymous' && refusal.status !== 429) return write(refusal);
    let key = keyOf(refusal);
    if (!counted.has(key) && counted.size >= keysMax) key = `* ${refusal.problem.code}`;
    const known = counted.get(key);
    if (known !== undefined) {
      known.more += 1;
      return;
    }
    counted.set(key, { first: refusal, more: 0 });
    await write(refusal);
  }

  async function flush(): Promise<void> {
    const due = counted;
    counted = new Map();
    for (const { first, more } of due.values()) if (more > 0) await write({ ...first, count: more });
  }

  const timer = setInterval(() => void flush(), MINUTE_MS);
  timer.unref();
  return {
    report,
    flush,
    async stop() {
      clearInterval(timer);
      await flush();
      await Promise.all(writing);
    },
  };
}

function keyOf({ actor, route, problem, certificateSha256 }: Refusal): string {
  return [callerOf(actor), route ?? '-', problem.code, certificateSha256 ?? '-'].join(' ');
}

/** Whom to count: the account or node when known, else the network address. */
export function callerOf(actor: Actor): string {
  const { principal, origin } = actor;
  if (principal.kind === 'user') return principal.userId;
  if (principal.kind === 'node') return principal.nodeId;
  return addressGroup(origin.address ?? 'unknown');
}
