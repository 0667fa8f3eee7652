import { sealedAtRest, sha256 } from '../../crypto/index.ts';
import { equalBytes, utf8Encode } from '../../kernel/bytes.ts';
import { isProblem } from '../../kernel/problem.ts';
import type { KeyRing } from '../../store/index.ts';
import type { RuleName, RuleSettings } from './wire.ts';

/**
 * Binds the settings of a rule to a key outside the database: a seal over their digest. Whoever writes to the database alone would
 * otherwise switch off the rule that tells of them.
 */
export interface RuleBinder {
  bind(name: RuleName, settings: RuleSettings): Uint8Array;
  /** Whether the settings are as an administrator left them. Throws `key-unknown` while a new key is on its way. */
  fits(name: RuleName, settings: RuleSettings, binding: Uint8Array): boolean;
}

/** Under audit's keys, which are never destroyed: nothing has to be sealed anew. */
const place = (name: RuleName) => ({ table: 'audit.alert', type: 'rule', id: name, version: 1 });

export function createRuleBinder(keyRing: KeyRing): RuleBinder {
  return {
    bind: (name, settings) => keyRing.seal(digest(settings), place(name)),
    fits(name, settings, binding) {
      try {
        return equalBytes(keyRing.open(sealedAtRest(binding), place(name)), digest(settings));
      } catch (error) {
        if (isProblem(error) && error.code === 'seal-broken') return false;
        throw error;
      }
    },
  };
}

function digest({ enabled, threshold, minutes, quietFrom, quietTo, zone, mail }: RuleSettings): Uint8Array {
  return sha256(utf8Encode(JSON.stringify([enabled, threshold, minutes, quietFrom, quietTo, zone, mail])));
}
