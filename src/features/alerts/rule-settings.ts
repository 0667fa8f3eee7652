import { z } from 'zod';
import { sealedAtRest } from '../../crypto/index.ts';
import { utf8Decode, utf8Encode } from '../../kernel/bytes.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import { isProblem } from '../../kernel/problem.ts';
import type { Audit, AuditInput } from '../audit/index.ts';
import { type BoundRulesDeps, createBoundRules } from './bound-rules.ts';
import { noQuietTime, recipientUnknown, unknownZone } from './errors.ts';
import { minuteOfDay, RULES, type Rules } from './rules.ts';
import * as store from './store.ts';
import type { RuleName, RuleSettings, RulesReply } from './wire.ts';

/** Settings of rules, and whom to mail. */
export interface RuleSettingsStore {
  /** A rule that somebody else has changed or taken away is switched on, as the program has it. */
  read(): Promise<Rules>;
  /** Rules that are not as an administrator left them. */
  changed(): Promise<readonly RuleName[]>;
  /** Whether the list of who gets mails is not as an administrator left it. */
  recipientsChanged(): Promise<boolean>;
  /** Binds what an earlier version has written, and rules nobody has set yet; once in the life of an installation. */
  bindEarlier(): Promise<void>;
  reply(mail: boolean): Promise<RulesReply>;
  change(actor: Actor, name: RuleName, settings: RuleSettings): Promise<AuditReceipt>;
  /** Addresses of those who were chosen, are still at work and may still see all alerts. */
  recipients(): Promise<readonly string[]>;
  /** By their ids. Throws `recipient-unknown` for who may not see all alerts. */
  changeRecipients(actor: Actor, recipients: readonly string[]): Promise<AuditReceipt>;
}

/** Somebody who may see all alerts. */
export interface AlertReader {
  readonly id: string;
  readonly name: string;
  readonly email: string;
}

export interface RuleSettingsDeps extends BoundRulesDeps {
  readonly audit: Pick<Audit, 'record'>;
  /** Whom mails may go to: active people who may see all alerts. */
  readonly readers: () => Promise<readonly AlertReader[]>;
  /** Whether anybody was ever chosen to get mails. Kept outside the database: from then on a missing list was taken away. */
  readonly recipientsBound?: { isSet(): Promise<boolean>; set(): Promise<void> };
}

/** As it is stored: ids of people; addresses where an earlier version took them as they were typed in. */
const Stored = z.object({ recipients: z.array(z.string()) });

const PLACE = { table: 'audit.alert', type: 'recipients', id: 'recipients', version: 1 };

export function createRuleSettings(deps: RuleSettingsDeps): RuleSettingsStore {
  const { database, keyRing, audit, readers, recipientsBound } = deps;
  const bound = createBoundRules(deps);

  async function read(): Promise<Rules> {
    const entries = (await bound.read()).map(({ name, settings }) => [name, settings] as const);
    return Object.fromEntries(entries) as Rules;
  }

  async function chosen() {
    const isBound = (await recipientsBound?.isSet()) === true;
    const { sealedRecipients } = await store.readState(database);
    const stored = chosenBefore(keyRing, sealedRecipients, isBound);
    // Chosen under an earlier version.
    if (!isBound && sealedRecipients !== null && stored !== undefined) await recipientsBound?.set();
    const people = await readers();
    // A list that somebody has taken away or changed goes to everybody who may see all alerts: none is to be kept from them.
    const wanted = new Set((stored ?? people.map(({ id }) => id)).map((one) => one.toLowerCase()));
    const addresses = new Set(people.map(({ email }) => email.toLowerCase()));
    return {
      people,
      chosen: people.filter(({ id, email }) => wanted.has(id) || wanted.has(email.toLowerCase())),
      changed: stored === undefined,
      unknown: [...wanted].filter((one) => one.includes('@') && !addresses.has(one)),
    };
  }

  return {
    read,
    recipientsChanged: async () => (await chosen()).changed,
    changed: async () => (await bound.read()).flatMap(({ name, changed }) => (changed ? [name] : [])),
    bindEarlier: bound.bindEarlier,
    recipients: async () => (await chosen()).chosen.map(({ email }) => email),
    async reply(mail) {
      const rules = await bound.read();
      const who = await chosen();
      return {
        rules: rules.map(({ name, settings, changed }) => {
          const { title, about, uses } = RULES[name];
          return { name, title, about, uses: [...uses], settings, ...(changed ? { changed } : {}) };
        }),
        recipients: who.chosen.map(({ id }) => id),
        people: who.people.map(({ id, name }) => ({ id, name })),
        unknown: who.unknown,
        mail,
      };
    },
    async change(actor, name, settings) {
      if (minuteOfDay(0, settings.zone) === undefined) throw unknownZone();
      if (RULES[name].uses.includes('quiet') && settings.quietFrom === settings.quietTo) throw noQuietTime();
      const before = (await read())[name];
      return await database.transaction(async (tx) => {
        await bound.put(tx, name, settings);
        return await audit.record(tx, [told(actor, name, { from: words(before), to: words(settings) })]);
      });
    },
    async changeRecipients(actor, ids) {
      const before = await chosen();
      const known = new Set(before.people.map(({ id }) => id));
      if (ids.some((id) => !known.has(id))) throw recipientUnknown();
      return await database.transaction(async (tx) => {
        tx.afterCommit(() => void recipientsBound?.set().catch(() => undefined));
        await store.putRecipients(tx, keyRing.seal(utf8Encode(JSON.stringify({ recipients: ids })), PLACE));
        const detail = { from: before.chosen.map(({ id }) => id).join(' '), to: ids.join(' ') };
        return await audit.record(tx, [told(actor, 'recipients', detail)]);
      });
    },
  };
}

/** Whom an administrator chose. Undefined where it is not as an administrator left it. */
function chosenBefore(
  keyRing: BoundRulesDeps['keyRing'],
  sealed: Buffer | null,
  isBound: boolean,
): readonly string[] | undefined {
  if (sealed === null) return isBound ? undefined : [];
  try {
    return Stored.parse(JSON.parse(utf8Decode(keyRing.open(sealedAtRest(sealed), PLACE)))).recipients;
  } catch (error) {
    if (isProblem(error) && error.code === 'seal-broken') return undefined;
    throw error;
  }
}

function told(actor: Actor, rule: string, detail: { readonly from: string; readonly to: string }): AuditInput {
  const entities = [{ reference: `Rule/${rule}`, role: 'security-resource' }] as const;
  return { actor, event: 'alert.rule', action: 'U', outcome: 'success', entities, detail };
}

function words({ enabled, threshold, minutes, quietFrom, quietTo, zone, mail }: RuleSettings): string {
  return `${enabled ? 'on' : 'off'}, ${threshold} within ${minutes} min, quiet ${quietFrom}-${quietTo} ${zone}, mail ${mail ? 'on' : 'off'}`;
}
