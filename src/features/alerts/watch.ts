import { tellsOfChange } from './changed-past.ts';
import type { Finding } from './model.ts';
import { isQuiet, type Rules } from './rules.ts';
import type { RuleName } from './wire.ts';

/** One event of the log as the rules look at it. */
export interface WatchedEvent {
  readonly recordedMs: number;
  readonly event: string;
  /** 0 success, 4 refused, 8 failed. */
  readonly outcome: number;
  readonly kind: 'user' | 'node' | 'operator' | 'system' | 'anonymous';
  /** Blind tokens. */
  readonly actor: bigint;
  readonly client: bigint | undefined;
  readonly address: bigint | undefined;
}

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;
const WINDOWS_MAX = 50_000;

const LOOKS: ReadonlySet<string> = new Set([
  'client.read',
  'client.vread',
  'client.history',
  'client.search',
  'client.match',
]);
const EXPORTS: ReadonlySet<string> = new Set([
  'client.print',
  'client.export',
  'client.own-view',
  'audit.export',
  'load.rejected',
]);
/** Events in which somebody uses a right that an emergency gives. */
const isEmergency = (event: string): boolean => event === 'emergency.start' || event.includes('break-glass');

/** What happened lately, per rule and subject: times, and for clients which ones. */
interface Window {
  readonly times: number[];
  readonly values: Map<bigint, number>;
  /** Raised; not again before it has come down to half of the threshold. */
  raised: boolean;
}

/**
 * Looks at events one after the other and says which rules they fulfil. Knows only the last minutes; whoever starts it anew shows
 * it these again first. Times are those of the events, so a clock that steps back neither raises nor hides anything for longer
 * than it stepped.
 */
export function createWatch(rules: () => Rules): { see(event: WatchedEvent): Finding[] } {
  const windows = new Map<string, Window>();
  let newestMs = 0;

  function windowOf(key: string): Window {
    const known = windows.get(key);
    if (known !== undefined) return known;
    // Forgetting everything at once is crude and safe: what goes on is noticed again within one more threshold.
    if (windows.size >= WINDOWS_MAX) windows.clear();
    const made: Window = { times: [], values: new Map(), raised: false };
    windows.set(key, made);
    return made;
  }

  /** Counts within the rule's time; true when the threshold is reached just now. */
  function reaches(rule: RuleName, key: string, sinceMs: number, value?: bigint): number | undefined {
    const { threshold } = rules()[rule];
    const window = windowOf(`${rule} ${key}`);
    let count: number;
    if (value === undefined) {
      window.times.push(newestMs);
      while (window.times[0] !== undefined && window.times[0] < sinceMs) window.times.shift();
      count = window.times.length;
    } else {
      window.values.delete(value);
      window.values.set(value, newestMs);
      for (const [old, atMs] of window.values) {
        if (atMs >= sinceMs) break;
        window.values.delete(old);
      }
      count = window.values.size;
    }
    if (count <= Math.max(1, threshold / 2)) window.raised = false;
    if (count < threshold || window.raised) return undefined;
    window.raised = true;
    return count;
  }

  return {
    see(event) {
      newestMs = Math.max(newestMs, event.recordedMs);
      const all = rules();
      return LOOKS_AT.flatMap((look) => look({ event, rules: all, newestMs, reaches }) ?? []);
    },
  };
}

interface Looking {
  readonly event: WatchedEvent;
  readonly rules: Rules;
  readonly newestMs: number;
  readonly reaches: (rule: RuleName, key: string, sinceMs: number, value?: bigint) => number | undefined;
}

const looksAtClients = ({ kind, outcome, event }: WatchedEvent): boolean =>
  kind === 'user' && outcome === 0 && LOOKS.has(event);
const sinceOf = ({ rules, newestMs }: Looking, rule: RuleName): number => newestMs - rules[rule].minutes * MINUTE_MS;

/** One rule each. */
const LOOKS_AT: readonly ((looking: Looking) => Finding | undefined)[] = [
  manyClients,
  outsideHours,
  refusals,
  exports,
  emergency,
  damage,
];

function manyClients(looking: Looking): Finding | undefined {
  const { event, rules, reaches } = looking;
  const rule = 'many-clients';
  if (!rules[rule].enabled || !looksAtClients(event) || event.client === undefined) return undefined;
  const subject = String(event.actor);
  const clients = reaches(rule, subject, sinceOf(looking, rule), event.client);
  if (clients === undefined) return undefined;
  return { rule, subject, what: `${clients} different clients within ${rules[rule].minutes} minutes` };
}

function outsideHours({ event, rules, newestMs, reaches }: Looking): Finding | undefined {
  const rule = 'outside-hours';
  if (!rules[rule].enabled || !looksAtClients(event) || !isQuiet(event.recordedMs, rules[rule])) return undefined;
  const subject = String(event.actor);
  const acts = reaches(rule, subject, newestMs - DAY_MS / 2);
  return acts === undefined ? undefined : { rule, subject, what: `${acts} looks at clients outside of hours` };
}

function refusals(looking: Looking): Finding | undefined {
  const { event, rules, reaches } = looking;
  const rule = 'refusals';
  if (!rules[rule].enabled || event.outcome === 0 || tellsOfChange(event.event)) return undefined;
  // Strangers have no name; their address tells them apart.
  const subject = event.kind === 'anonymous' ? `address ${event.address ?? 'none'}` : String(event.actor);
  const times = reaches(rule, subject, sinceOf(looking, rule));
  if (times === undefined) return undefined;
  return { rule, subject, what: `${times} refusals within ${rules[rule].minutes} minutes` };
}

function exports(looking: Looking): Finding | undefined {
  const { event, rules, reaches } = looking;
  const rule = 'export';
  if (!rules[rule].enabled || event.kind !== 'user' || event.outcome !== 0 || !EXPORTS.has(event.event))
    return undefined;
  const subject = String(event.actor);
  const times = reaches(rule, subject, sinceOf(looking, rule));
  if (times === undefined) return undefined;
  return { rule, subject, what: `${times} files or prints within ${rules[rule].minutes} minutes` };
}

function emergency({ event, rules }: Looking): Finding | undefined {
  const rule = 'break-glass';
  if (!rules[rule].enabled || event.outcome !== 0 || !isEmergency(event.event)) return undefined;
  return { rule, subject: String(event.actor), what: 'Emergency access was used' };
}

function damage({ event, rules }: Looking): Finding | undefined {
  const rule = 'log-damaged';
  if (!rules[rule].enabled || event.event !== 'audit.verify' || event.outcome === 0) return undefined;
  return { rule, subject: 'verify', what: 'A verification of the log found it damaged' };
}
