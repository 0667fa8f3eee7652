/**
 * Concurrent point reads share round trips: while one query is under way the next ids collect, and before it leaves for as long as
 * each turn of the event loop brings more. A lone read waits for nobody.
 */
export interface ReadBatcher<Key, Value> {
  read(key: Key): Promise<Value | undefined>;
}

const GATHER_TURNS_MAX = 4;

export function createReadBatcher<Key, Value>(
  load: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>,
  options: { readonly inFlightMax: number; readonly keysMax: number },
): ReadBatcher<Key, Value> {
  interface Waiting {
    readonly key: Key;
    readonly resolve: (value: Value | undefined) => void;
    readonly reject: (error: unknown) => void;
  }
  let waiting: Waiting[] = [];
  let inFlight = 0;
  let scheduled = false;

  function schedule(): void {
    if (scheduled || waiting.length === 0 || inFlight >= options.inFlightMax) return;
    scheduled = true;
    gather(0, GATHER_TURNS_MAX);
  }

  /** After the I/O of this turn: requests that arrived together are read together, and so are those of the next turns. */
  function gather(seen: number, turns: number): void {
    setImmediate(() => {
      if (waiting.length > seen && waiting.length < options.keysMax && turns > 0)
        return gather(waiting.length, turns - 1);
      scheduled = false;
      void flush();
    });
  }

  async function flush(): Promise<void> {
    const batch = waiting.slice(0, options.keysMax);
    waiting = waiting.slice(options.keysMax);
    if (batch.length === 0) return;
    inFlight += 1;
    schedule();
    try {
      const found = await load([...new Set(batch.map((one) => one.key))]);
      for (const one of batch) one.resolve(found.get(one.key));
    } catch (error) {
      for (const one of batch) one.reject(error);
    } finally {
      inFlight -= 1;
      schedule();
    }
  }

  return {
    read(key) {
      return new Promise((resolve, reject) => {
        waiting.push({ key, resolve, reject });
        schedule();
      });
    },
  };
}
