import type { NodeId } from '../../kernel/ids.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import { TOUCH_NODES } from './store.ts';

const FLUSH_MS = 30_000;

/** When nodes were last here, gathered in memory and written every half minute: a request must not wait for it. */
export interface LastSeen {
  seen(nodeId: NodeId): void;
  flush(): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

export function createLastSeen(deps: {
  readonly database: Database;
  readonly clock: Clock;
  readonly onBackgroundFailure: (error: unknown) => void;
}): LastSeen {
  let gathered = new Map<NodeId, number>();
  let timer: NodeJS.Timeout | undefined;

  async function flush(): Promise<void> {
    if (gathered.size === 0) return;
    const due = gathered;
    gathered = new Map();
    try {
      await deps.database.run(TOUCH_NODES, [[...due.keys()], [...due.values()].map((atMs) => new Date(atMs))]);
    } catch (error) {
      deps.onBackgroundFailure(error);
    }
  }

  return {
    seen(nodeId) {
      gathered.set(nodeId, deps.clock.nowMs());
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
