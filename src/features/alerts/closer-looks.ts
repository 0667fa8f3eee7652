import { instant } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import { addressGroup } from '../../platform/http/address.ts';
import type { KeyRing } from '../../store/index.ts';
import type { Audit, SequencedEvent } from '../audit/index.ts';
import type { AuditEventSummary } from '../audit/wire.ts';
import { changedPast } from './changed-past.ts';
import { closeness, type PersonName, type Rules } from './rules.ts';
import type { Finding } from './model.ts';
import * as store from './store.ts';

export interface CloserLooksDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly audit: Pick<Audit, 'search'>;
  /** Names of a client; undefined where there is none. */
  readonly namesOf: (clientId: string) => Promise<PersonName | undefined>;
  /** Display names of everybody who works here. */
  readonly people: () => Promise<readonly string[]>;
}

const KNOWN_NETWORK_MS = 90 * 86_400_000;
const PEOPLE_FRESH_MS = 600_000;
const LOOKS: ReadonlySet<string> = new Set(['client.read', 'client.vread', 'client.history']);
const SIGN_INS = ['sign-in.code', 'sign-in.recovery-code', 'sign-in.passkey'];

type CloserLook = (event: SequencedEvent, summary: AuditEventSummary, rules: Rules) => Promise<Finding[]>;

/** The rules that need more than the event: names of people, networks of before. */
export function createCloserLooks(deps: CloserLooksDeps): CloserLook {
  const people = remembered(deps.people, PEOPLE_FRESH_MS);

  async function closeNames(event: SequencedEvent, summary: AuditEventSummary, rules: Rules): Promise<Finding[]> {
    if (!rules['own-name'].enabled || event.actorKind !== 'user' || event.outcome !== 0 || !LOOKS.has(event.event))
      return [];
    const [client] = summary.client ?? [];
    const names = client === undefined ? undefined : await deps.namesOf(client);
    if (names === undefined) return [];
    const others = (await people()).filter((name) => name !== summary.actor.name);
    const close = closeness(summary.actor.name, names, others);
    if (close === undefined) return [];
    const what =
      close === 'own-surname' ? 'The client bears the reader’s own surname' : 'The client bears a colleague’s name';
    return [{ rule: 'own-name', subject: `${event.actor} ${client}`, what }];
  }

  async function newNetwork(event: SequencedEvent, summary: AuditEventSummary, rules: Rules): Promise<Finding[]> {
    if (
      !SIGN_INS.includes(event.event) ||
      event.outcome !== 0 ||
      event.actorKind !== 'user' ||
      summary.address === undefined
    )
      return [];
    const group = networkOf(summary.address);
    const { known, fresh } = await store.seeNetwork(deps.database, {
      actor: event.actor,
      network: deps.keyRing.blind('audit.alert-network', group),
      atMs: event.recordedMs,
      sinceMs: event.recordedMs - KNOWN_NETWORK_MS,
    });
    if (!rules['new-network'].enabled || fresh) return [];
    // The very first sign-in is from a new network by nature. That it is the first, the log says: the list of networks lies in the database.
    if (known === 0 && !(await signedInBefore(event, summary))) return [];
    return [
      {
        rule: 'new-network',
        subject: `${event.actor} ${group}`,
        what: 'Sign-in from a network not used in the last 90 days',
      },
    ];
  }

  async function signedInBefore({ recordedMs }: SequencedEvent, { actor }: AuditEventSummary): Promise<boolean> {
    const to = instant(recordedMs);
    const { events } = await deps.audit.search({
      ...{ actors: [actor.id], events: SIGN_INS, outcome: 'success', to, limit: 1 },
    });
    return events.length > 0;
  }

  const changes = (event: SequencedEvent, summary: AuditEventSummary, rules: Rules): Finding[] =>
    rules['changed-past'].enabled ? [changedPast(event, summary)].filter((one) => one !== undefined) : [];

  return async (event, summary, rules) => [
    ...changes(event, summary, rules),
    ...(await closeNames(event, summary, rules)),
    ...(await newNetwork(event, summary, rules)),
  ];
}

/** A home or mobile line changes its last numbers now and then: /24 for IPv4, as counting has it for IPv6. */
function networkOf(address: string): string {
  return address.includes(':') ? addressGroup(address) : address.split('.').slice(0, 3).join('.');
}

function remembered<T>(make: () => Promise<T>, forMs: number): () => Promise<T> {
  let known: { readonly value: Promise<T>; readonly atMs: number } | undefined;
  return () => {
    if (known === undefined || performance.now() - known.atMs > forMs) {
      const value = make();
      known = { value, atMs: performance.now() };
      value.catch(() => {
        known = undefined;
      });
    }
    return known.value;
  };
}
