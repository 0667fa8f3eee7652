/**
 * Statements that were sent and not yet waited for. PostgreSQL works on them while the next are being prepared here; the one
 * connection of a transaction keeps their order.
 */
export interface UnderWay {
  add(sent: Promise<unknown>): void;
  /** Resolves when all are done; rejects with the first failure. */
  done(): Promise<void>;
}

export function createUnderWay(): UnderWay {
  const all: Promise<unknown>[] = [];
  return {
    add(sent) {
      // A failure is told by done(); without this the process would take it for one that nobody looks at.
      sent.catch(() => {});
      all.push(sent);
    },
    async done() {
      await Promise.all(all);
    },
  };
}
