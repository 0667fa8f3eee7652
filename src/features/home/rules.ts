/** What deserves a person's attention, worst first. Pure. */
import type { AttentionItem } from './wire.ts';

export interface HomeFacts {
  readonly nowMs: number;
  readonly registry?: { readonly clients: number; readonly reviewsOpen: number; readonly oldestReviewMs?: number };
  readonly nodes?: {
    readonly nodes: number;
    readonly expired: number;
    /** Nodes whose last certificate ends within so many days. */
    readonly endingWithin: Readonly<Record<30 | 14 | 7, number>>;
  };
  readonly users?: { readonly users: number; readonly invited: number; readonly administrators: number };
  /** Emergency accesses that somebody has to look at. */
  readonly emergencies?: number;
  /** Blocking keys of an earlier version of the program, being made anew. */
  readonly oldKeys?: { readonly visited: number; readonly total: number; readonly going: boolean };
  /** Clients that were put right and are left to the centre alone; `first` is one of them. */
  readonly narrowed?: { readonly count: number; readonly first?: string };
  readonly loads?: { readonly running: number; readonly failed: number };
  readonly audit?: { readonly proven: boolean; readonly signedAtMs?: number };
  /** Alerts from the audit log that nobody has taken on. */
  readonly alertsWaiting?: number;
  /** Rules for alerts that somebody has changed in the database. */
  readonly changedRules?: number;
}

const DAY_MS = 86_400_000;
/** A possible duplicate that waits longer than this is a risk to somebody's care. */
const REVIEW_AGE_DAYS_MAX = 7;

const LEVELS = ['red', 'amber', 'info'] as const;

export function attentionOf(facts: HomeFacts): AttentionItem[] {
  const items = [
    ...auditItems(facts),
    ...alertItems(facts),
    ...nodeItems(facts),
    ...keyItems(facts),
    ...narrowedItems(facts),
    ...loadItems(facts),
    ...reviewItems(facts),
    ...userItems(facts),
    ...emergencyItems(facts),
  ];
  return items.sort((x, y) => LEVELS.indexOf(x.level) - LEVELS.indexOf(y.level));
}

function plural(count: number, one: string, many: string): string {
  return count === 1 ? `1 ${one}` : `${count.toLocaleString('en')} ${many}`;
}

function auditItems({ audit }: HomeFacts): AttentionItem[] {
  if (!audit || audit.proven) return [];
  const text = 'The audit log could not be proven whole. Nothing more can be trusted until somebody has looked.';
  return [{ kind: 'audit-not-proven', level: 'red', text, href: '/audit' }];
}

function alertItems({ alertsWaiting = 0, changedRules = 0 }: HomeFacts): AttentionItem[] {
  const items: AttentionItem[] = [];
  if (changedRules > 0) {
    const rules = plural(changedRules, 'rule for alerts was', 'rules for alerts were');
    const text = `${rules} changed in the database, not by an administrator. They alert as the program has them until they are saved again.`;
    items.push({ kind: 'alert-rules-changed', level: 'red', text, count: changedRules, href: '/audit/alerts' });
  }
  if (alertsWaiting > 0) {
    const text = `${plural(alertsWaiting, 'alert waits', 'alerts wait')} for somebody to look at what happened.`;
    items.push({ kind: 'alerts-waiting', level: 'amber', text, count: alertsWaiting, href: '/audit/alerts' });
  }
  return items;
}

function nodeItems({ nodes }: HomeFacts): AttentionItem[] {
  if (!nodes) return [];
  const items: AttentionItem[] = [];
  if (nodes.expired > 0) {
    const text = `${plural(nodes.expired, 'system has', 'systems have')} no valid certificate any more and cannot connect.`;
    items.push({ kind: 'node-expired', level: 'red', text, count: nodes.expired, href: '/nodes' });
  }
  const days = ([7, 14, 30] as const).find((limit) => nodes.endingWithin[limit] > 0);
  if (days !== undefined) {
    const count = nodes.endingWithin[days];
    const text = `The certificate of ${plural(count, 'system', 'systems')} ends within ${days} days.`;
    items.push({ kind: 'node-expiring', level: 'amber', text, count, href: '/nodes' });
  }
  return items;
}

function loadItems({ loads }: HomeFacts): AttentionItem[] {
  if (!loads) return [];
  const items: AttentionItem[] = [];
  if (loads.failed > 0) {
    const text = `${plural(loads.failed, 'load has', 'loads have')} failed in the last seven days.`;
    items.push({ kind: 'load-failed', level: 'amber', text, count: loads.failed, href: '/load' });
  }
  if (loads.running > 0) {
    const text = `${plural(loads.running, 'load is', 'loads are')} under way.`;
    items.push({ kind: 'load-running', level: 'info', text, count: loads.running, href: '/load' });
  }
  return items;
}

function keyItems({ oldKeys }: HomeFacts): AttentionItem[] {
  if (!oldKeys) return [];
  const { visited, total, going } = oldKeys;
  const how = going
    ? `${visited.toLocaleString('en')} of ${total.toLocaleString('en')} records are done.`
    : 'The work has stopped and must be begun again.';
  const text = `After the upgrade every record gets new search keys. Until then links may be missed. ${how}`;
  return [{ kind: 'old-keys', level: 'amber', text, href: '/reviews/models' }];
}

function narrowedItems({ narrowed }: HomeFacts): AttentionItem[] {
  if (narrowed?.first === undefined) return [];
  const { count, first } = narrowed;
  const clients = plural(count, 'client that was put right is', 'clients that were put right are');
  const what = count === 1 ? 'Find out who knows it, and share it' : 'Find out who knows this one, and share it';
  const text = `${clients} seen by the central organisation alone: nothing proved whose the records were. ${what}.`;
  return [{ kind: 'clients-narrowed', level: 'amber', text, count, href: `/clients/${first}` }];
}

function reviewItems({ registry, nowMs }: HomeFacts): AttentionItem[] {
  if (!registry || registry.reviewsOpen === 0) return [];
  const ageDays = registry.oldestReviewMs === undefined ? 0 : Math.floor((nowMs - registry.oldestReviewMs) / DAY_MS);
  const old = ageDays > REVIEW_AGE_DAYS_MAX;
  const pairs = plural(registry.reviewsOpen, 'pair of records is', 'pairs of records are');
  const text = `${pairs} probably one person and waiting for a decision${old ? `, the oldest for ${ageDays} days` : ''}.`;
  return [{ kind: 'reviews-open', level: old ? 'amber' : 'info', text, count: registry.reviewsOpen, href: '/reviews' }];
}

function emergencyItems({ emergencies = 0 }: HomeFacts): AttentionItem[] {
  if (emergencies === 0) return [];
  const text = `Glass was broken ${plural(emergencies, 'time', 'times')} and nobody has looked at it yet.`;
  return [{ kind: 'emergencies', level: 'red', text, count: emergencies, href: '/people/emergencies' }];
}

function userItems({ users }: HomeFacts): AttentionItem[] {
  if (!users) return [];
  const items: AttentionItem[] = [];
  if (users.administrators < 2) {
    const text =
      'There is only one administrator. If that person cannot sign in, nobody else can help. Invite a second one.';
    items.push({ kind: 'one-administrator', level: 'amber', text, href: '/people' });
  }
  if (users.invited > 0) {
    const text = `${plural(users.invited, 'invited person has', 'invited people have')} not enrolled yet.`;
    items.push({ kind: 'invitations', level: 'info', text, count: users.invited, href: '/people' });
  }
  return items;
}
