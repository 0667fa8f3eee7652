import { sealedAtRest, sha256 } from '../../crypto/index.ts';
import { equalBytes, utf8Encode } from '../../kernel/bytes.ts';
import { isProblem } from '../../kernel/problem.ts';
import type { Database } from '../../platform/db/index.ts';
import type { KeyRing } from '../../store/index.ts';
import { bindTarget, listTargets, type Target, type TargetSettings } from './target-store.ts';

/**
 * Binds a target to a key outside the database: a seal over the digest of where it is and what it gets. Whoever writes to the
 * database alone would otherwise have the whole log sent to an address of their own.
 */
export interface TargetBinder {
  bind(id: string, target: TargetSettings): Uint8Array;
  /** Whether the target is as an administrator set it. Throws `key-unknown` while a new key is on its way. */
  fits(target: Target): boolean;
}

/** Under audit's keys, which are never destroyed: nothing has to be sealed anew. */
const place = (id: string) => ({ table: 'audit.target', type: 'binding', id, version: 1 });

export function createTargetBinder(keyRing: KeyRing): TargetBinder {
  return {
    bind: (id, target) => keyRing.seal(digest(target), place(id)),
    fits(target) {
      if (target.binding === null) return false;
      try {
        return equalBytes(keyRing.open(sealedAtRest(target.binding), place(target.id)), digest(target));
      } catch (error) {
        if (isProblem(error) && error.code === 'seal-broken') return false;
        throw error;
      }
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

function digest({ name, protocol, host, port, path, authorities, filter, paused }: TargetSettings): Uint8Array {
  const { events, outcome, ...more } = filter;
  const facts = [name, protocol, host, port, path, authorities, events, outcome, more, paused];
  return sha256(utf8Encode(JSON.stringify(facts)));
}
