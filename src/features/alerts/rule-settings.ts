import { sealedAtRest } from '../../crypto/index.ts';
import { utf8Decode, utf8Encode } from '../../kernel/bytes.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Database } from '../../platform/db/index.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { KeyRing } from '../../store/index.ts';
import type { Audit, AuditInput } from '../audit/index.ts';
import { noQuietTime, unknownZone } from './errors.ts';
import { minuteOfDay, RULES, type Rules } from './rules.ts';
import * as store from './store.ts';
import { Recipients, RULE_NAMES, type RuleName, RuleSettings, type RulesReply } from './wire.ts';

/** Settings of rules, and whom to mail. */
export interface RuleSettingsStore {
  read(): Promise<Rules>;
  reply(mail: boolean): Promise<RulesReply>;
  change(actor: Actor, name: RuleName, settings: RuleSettings): Promise<AuditReceipt>;
  recipients(): Promise<readonly string[]>;
  changeRecipients(actor: Actor, recipients: readonly string[]): Promise<AuditReceipt>;
}

const PLACE = { table: 'audit.alert', type: 'recipients', id: 'recipients', version: 1 };

export function createRuleSettings(deps: {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly audit: Pick<Audit, 'record'>;
}): RuleSettingsStore {
  const { database, keyRing, audit } = deps;

  async function read(): Promise<Rules> {
    const stored = new Map((await store.readRules(database)).map(({ name, settings }) => [name, settings]));
    const entries = RULE_NAMES.map((name) => {
      const own = RuleSettings.safeParse(stored.get(name));
      return [name, own.success ? own.data : RULES[name].settings] as const;
    });
    return Object.fromEntries(entries) as Rules;
  }

  async function recipients(): Promise<readonly string[]> {
    const { sealedRecipients } = await store.readState(database);
    if (sealedRecipients === null) return [];
    return Recipients.parse(JSON.parse(utf8Decode(keyRing.open(sealedAtRest(sealedRecipients), PLACE)))).recipients;
  }

  return {
    read,
    recipients,
    async reply(mail) {
      const rules = await read();
      return {
        rules: RULE_NAMES.map((name) => {
          const { title, about, uses } = RULES[name];
          return { name, title, about, uses: [...uses], settings: rules[name] };
        }),
        recipients: [...(await recipients())],
        mail,
      };
    },
    async change(actor, name, settings) {
      if (minuteOfDay(0, settings.zone) === undefined) throw unknownZone();
      if (RULES[name].uses.includes('quiet') && settings.quietFrom === settings.quietTo) throw noQuietTime();
      const before = (await read())[name];
      return await database.transaction(async (tx) => {
        await store.putRule(tx, name, settings);
        return await audit.record(tx, [told(actor, name, { from: words(before), to: words(settings) })]);
      });
    },
    async changeRecipients(actor, addresses) {
      const before = await recipients();
      return await database.transaction(async (tx) => {
        await store.putRecipients(tx, keyRing.seal(utf8Encode(JSON.stringify({ recipients: addresses })), PLACE));
        const detail = { from: before.join(' '), to: addresses.join(' ') };
        return await audit.record(tx, [told(actor, 'recipients', detail)]);
      });
    },
  };
}

function told(actor: Actor, rule: string, detail: { readonly from: string; readonly to: string }): AuditInput {
  const entities = [{ reference: `Rule/${rule}`, role: 'security-resource' }] as const;
  return { actor, event: 'alert.rule', action: 'U', outcome: 'success', entities, detail };
}

function words({ enabled, threshold, minutes, quietFrom, quietTo, zone, mail }: RuleSettings): string {
  return `${enabled ? 'on' : 'off'}, ${threshold} within ${minutes} min, quiet ${quietFrom}-${quietTo} ${zone}, mail ${mail ? 'on' : 'off'}`;
}
