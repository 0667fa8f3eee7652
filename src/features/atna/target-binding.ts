import { sealedAtRest, sha256 } from '../../crypto/index.ts';
import { equalBytes, utf8Decode, utf8Encode } from '../../kernel/bytes.ts';
import { isProblem } from '../../kernel/problem.ts';
import type { Database } from '../../platform/db/index.ts';
import type { KeyRing } from '../../store/index.ts';
import {
  bindTarget,
  listTargets,
  placeTarget,
  type SealedPlace,
  type Target,
  type TargetSettings,
} from './target-store.ts';

/**
 * Binds a target to a key outside the database: a seal over the digest of where it is and what it gets. Whoever writes to the
 * database alone would otherwise have the whole log sent to an address of their own, or have events passed over by moving its place on.
 */
export interface TargetBinder {
  bind(id: string, target: TargetSettings): Uint8Array;
  /** Whether the target is as an administrator set it. Throws `key-unknown` while a new key is on its way. */
  fits(target: Target): boolean;
  /** How far a target has come. */
  seal(id: string, leaf: number): SealedPlace;
  /** The leaf it goes on with, whatever the database says beside the seal; undefined where the seal is not ours. */
  placeOf(target: Target): number | undefined;
}

/** Under audit's keys, which are never destroyed: nothing has to be sealed anew. */
const place = (id: string, type: 'binding' | 'place') => ({ table: 'audit.target', type, id, version: 1 });

export function createTargetBinder(keyRing: KeyRing): TargetBinder {
  function opened(sealed: Buffer | null, where: ReturnType<typeof place>): Uint8Array | undefined {
    if (sealed === null) return undefined;
    try {
      return keyRing.open(sealedAtRest(sealed), where);
    } catch (error) {
      if (isProblem(error) && error.code === 'seal-broken') return undefined;
      throw error;
    }
  }

  return {
    bind: (id, target) => keyRing.seal(digest(target), place(id, 'binding')),
    fits(target) {
      const known = opened(target.binding, place(target.id, 'binding'));
      return known !== undefined && equalBytes(known, digest(target));
    },
    seal: (id, leaf) => ({ leaf, sealed: keyRing.seal(utf8Encode(String(leaf)), place(id, 'place')) }),
    placeOf(target) {
      const known = opened(target.sealedPlace, place(target.id, 'place'));
      return known === undefined ? undefined : Number(utf8Decode(known));
    },
  };
}

/**
 * Binds what an earlier version has written, once in the life of an installation. The mark lies outside the database, so that
 * whoever adds a target by hand does not get it bound at the next start.
 */
export async function bindEarlierTargets(
  database: Database,
  binder: TargetBinder,
  mark: { isSet(): Promise<boolean>; set(): Promise<void> },
): Promise<void> {
  if (await mark.isSet()) return;
  await database.transaction(async (tx) => {
    for (const target of await listTargets(tx)) await bindTarget(tx, target.id, binder.bind(target.id, target));
  });
  await mark.set();
}

/** The same for how far they have come. */
export async function bindEarlierPlaces(
  database: Database,
  binder: TargetBinder,
  mark: { isSet(): Promise<boolean>; set(): Promise<void> },
): Promise<void> {
  if (await mark.isSet()) return;
  await database.transaction(async (tx) => {
    for (const { id, nextLeaf, sealedPlace } of await listTargets(tx))
      if (sealedPlace === null) await placeTarget(tx, id, binder.seal(id, nextLeaf));
  });
  await mark.set();
}

function digest({ name, protocol, host, port, path, authorities, filter, paused }: TargetSettings): Uint8Array {
  const { events, outcome, ...more } = filter;
  const facts = [name, protocol, host, port, path, authorities, events, outcome, more, paused];
  return sha256(utf8Encode(JSON.stringify(facts)));
}
