import type { Database, Transaction } from '../../platform/db/index.ts';
import type { KeyRing } from '../../store/index.ts';
import { createRuleBinder } from './rule-binding.ts';
import { RULES } from './rules.ts';
import * as store from './store.ts';
import { RULE_NAMES, type RuleName, RuleSettings } from './wire.ts';

/** Rules that came after rules were first bound: no version wrote one without a binding, so such a row is never believed. */
const LATER: ReadonlySet<RuleName> = new Set(['changed-past']);

/** Lies outside the database. */
interface Mark {
  isSet(): Promise<boolean>;
  set(): Promise<void>;
}

/** A rule as it is in force. */
export interface MarkedRule {
  readonly name: RuleName;
  readonly settings: RuleSettings;
  /** It is not as an administrator left it: switched on, as the program has it. */
  readonly changed: boolean;
}

export interface BoundRulesDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  /**
   * Whether rules have been bound. Kept outside the database, so that from then on a rule without a binding, or missing, is known to
   * be somebody else's doing. Missing itself: that is not known.
   */
  readonly bound?: Mark;
  /** The same for rules that came later, so that on a home of before they are missing without anybody's doing until they are bound. */
  readonly laterBound?: Mark;
}

/** The rules that are kept, and whether they are still ours. See rule-binding.ts. */
export function createBoundRules({ database, keyRing, bound, laterBound }: BoundRulesDeps) {
  const binder = createRuleBinder(keyRing);

  async function read(): Promise<MarkedRule[]> {
    // The marks first: rules that are bound while we read must not look as if somebody had taken them away.
    const allBound = (await bound?.isSet()) === true;
    const laterToo = (await laterBound?.isSet()) === true;
    const stored = new Map((await store.readRules(database)).map((row) => [row.name, row]));
    const believedUnbound = (name: RuleName): boolean => (LATER.has(name) ? !laterToo && !stored.has(name) : !allBound);
    return RULE_NAMES.map((name) => {
      const row = stored.get(name);
      const own = RuleSettings.safeParse(row?.settings);
      const binding = row?.binding ?? undefined;
      const intact =
        binding === undefined ? believedUnbound(name) : own.success && binder.fits(name, own.data, binding);
      if (!intact) return { name, settings: { ...RULES[name].settings, enabled: true }, changed: true };
      return { name, settings: own.success ? own.data : RULES[name].settings, changed: false };
    });
  }

  async function bindEarlier(): Promise<void> {
    if (bound === undefined || ((await bound.isSet()) && (await laterBound?.isSet()) !== false)) return;
    const unbound = await read();
    await database.transaction(async (tx) => {
      for (const { name, settings, changed } of unbound)
        if (!changed) await store.putUnboundRule(tx, { name, settings, binding: binder.bind(name, settings) });
    });
    await bound.set();
    await laterBound?.set();
  }

  return {
    read,
    /** Binds what an earlier version has written, and rules nobody has set yet; once in the life of an installation. */
    bindEarlier,
    put: (tx: Transaction, name: RuleName, settings: RuleSettings) =>
      store.putRule(tx, { name, settings, binding: binder.bind(name, settings) }),
  };
}
