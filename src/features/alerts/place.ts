import { sealedAtRest } from '../../crypto/index.ts';
import { utf8Decode, utf8Encode } from '../../kernel/bytes.ts';
import { isProblem } from '../../kernel/problem.ts';
import type { Database } from '../../platform/db/index.ts';
import type { KeyRing } from '../../store/index.ts';
import * as store from './store.ts';

/** How far the log was looked at. Sealed: who moves it on in the database alone has no event passed over. */
export interface Place {
  /**
   * The leaf to go on with. `moved`: somebody else has changed it in the database since; where even the seal is gone it is the place
   * this process remembers, or the beginning of the log. `first`: nothing was ever looked at; the place is `end()`.
   */
  read(end: () => Promise<number>): Promise<{ readonly leaf: number; readonly as: 'kept' | 'moved' | 'first' }>;
  /** From the place that was read last. */
  move(to: number): Promise<void>;
}

export interface PlaceDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  /** Whether the place has been sealed before. Kept outside the database, so that from then on a missing seal is somebody else's doing. */
  readonly placeBound?: { isSet(): Promise<boolean>; set(): Promise<void> };
}

/** Under audit's keys, which are never destroyed. */
const WHERE = { table: 'audit.alert', type: 'place', id: 'place', version: 1 };

export function createPlace({ database, keyRing, placeBound }: PlaceDeps): Place {
  let stored: bigint | null = null;
  let remembered: number | undefined;

  function opened(sealed: Buffer | null): number | undefined {
    if (sealed === null) return undefined;
    try {
      return Number(utf8Decode(keyRing.open(sealedAtRest(sealed), WHERE)));
    } catch (error) {
      if (isProblem(error) && error.code === 'seal-broken') return undefined;
      throw error;
    }
  }

  async function put(leaf: number): Promise<void> {
    const moved = await store.advance(database, stored, {
      leaf,
      sealed: keyRing.seal(utf8Encode(String(leaf)), WHERE),
    });
    // Whoever moved it meanwhile looks at what follows, too; the next reading tells.
    if (!moved) return;
    stored = BigInt(leaf);
    remembered = leaf;
  }

  return {
    async read(end) {
      const state = await store.readState(database);
      stored = state.nextLeaf;
      const sealed = opened(state.sealedPlace);
      const isBound = (await placeBound?.isSet()) === true;
      if (sealed !== undefined) {
        if (!isBound) await placeBound?.set();
        remembered = sealed;
        if (stored === BigInt(sealed)) return { leaf: sealed, as: 'kept' };
        await put(sealed);
        return { leaf: sealed, as: 'moved' };
      }
      const earlier = !isBound && state.sealedPlace === null;
      const first = earlier && stored === null;
      const leaf = first ? await end() : earlier ? Number(stored) : (remembered ?? 0);
      await put(leaf);
      return { leaf, as: first ? 'first' : earlier ? 'kept' : 'moved' };
    },
    move: put,
  };
}
