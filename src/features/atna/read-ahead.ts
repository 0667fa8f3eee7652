import type { PackedPage } from '../audit/index.ts';

/** Pages of the log one after the other, the next ones being read while one is used. */
export interface Pages {
  /** The next page; one that ends where it began says that there is nothing new, and asking again looks again. */
  next(): Promise<PackedPage>;
}

export interface PagesOptions {
  /** Reads up to `limit` leaves. */
  readonly read: (from: number, limit: number) => Promise<PackedPage>;
  readonly from: number;
  readonly limit: number;
  /** How many pages are read beside each other: a database that is asked for one at a time waits half of the time. */
  readonly ahead: number;
}

interface Asked {
  readonly from: number;
  readonly page: Promise<PackedPage>;
}

/** Beyond a page that is not full nothing is read: the log ends there. */
export function createPages({ read, from, limit, ahead }: PagesOptions): Pages {
  let at = from;
  let asked: Asked[] = [];

  function ask(where: number): Asked {
    const page = read(where, limit);
    // Whoever asks for it hears of a failure; one that nobody asks for any more is nobody's.
    page.catch(() => undefined);
    return { from: where, page };
  }

  return {
    async next() {
      const first = asked.shift() ?? ask(at);
      const page = await first.page.catch((error: unknown) => {
        asked = [];
        throw error;
      });
      at = page.next;
      if (at - first.from < limit) asked = [];
      else while (asked.length < ahead) asked.push(ask(at + asked.length * limit));
      return page;
    },
  };
}
