import { fromHex } from '../../kernel/bytes.ts';
import type { NodeId } from '../../kernel/ids.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import { TOUCH_CERTIFICATES, TOUCH_NODES } from './store.ts';

const FLUSH_MS = 30_000;

/** When nodes and certificates were last here, gathered in memory and written every half minute: a request must not wait for it. */
export interface LastSeen {
  seen(nodeId: NodeId, sha256: string): void;
  flush(): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

export function createLastSeen(deps: {
  readonly database: Database;
  readonly clock: Clock;
  readonly onBackgroundFailure: (error: unknown) => void;
}): LastSeen {
  let nodes = new Map<NodeId, number>();
  let certificates = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;

  async function flush(): Promise<void> {
    if (nodes.size === 0) return;
    const [dueNodes, dueCertificates] = [nodes, certificates];
    nodes = new Map();
    certificates = new Map();
    const times = (due: ReadonlyMap<string, number>) => [...due.values()].map((atMs) => new Date(atMs));
    try {
      await deps.database.run(TOUCH_NODES, [[...dueNodes.keys()], times(dueNodes)]);
      const prints = [...dueCertificates.keys()].map((sha256) => fromHex(sha256) ?? new Uint8Array(0));
      await deps.database.run(TOUCH_CERTIFICATES, [prints, times(dueCertificates)]);
    } catch (error) {
      deps.onBackgroundFailure(error);
    }
  }

  return {
    seen(nodeId, sha256) {
      const nowMs = deps.clock.nowMs();
      nodes.set(nodeId, nowMs);
      certificates.set(sha256, nowMs);
    },
    flush,
    start() {
      timer = setInterval(() => void flush(), FLUSH_MS);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      await flush();
    },
  };
}
