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

/** A rule that an event fulfils. `subject`: whom it is about; equal ones belong to one alert. */
export interface Finding {
  readonly rule: RuleName;
  readonly subject: string;
  readonly what: string;
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
const isEmergency = (event: string): boolean => /(^|[.-])(break-glass|emergency)/.test(event);

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
      const found: Finding[] = [];
      const all = rules();
      const on = (rule: RuleName): boolean => all[rule].enabled;
      const since = (rule: RuleName): number => newestMs - all[rule].minutes * MINUTE_MS;
      const subject = String(event.actor);
      const looked = event.kind === 'user' && event.outcome === 0 && LOOKS.has(event.event);

      if (looked && on('many-clients') && event.client !== undefined) {
        const clients = reaches('many-clients', subject, since('many-clients'), event.client);
        if (clients !== undefined) {
          const { minutes } = all['many-clients'];
          found.push({ rule: 'many-clients', subject, what: `${clients} different clients within ${minutes} minutes` });
        }
      }
      if (looked && on('outside-hours') && isQuiet(event.recordedMs, all['outside-hours'])) {
        const acts = reaches('outside-hours', subject, newestMs - DAY_MS / 2);
        if (acts !== undefined)
          found.push({ rule: 'outside-hours', subject, what: `${acts} looks at clients outside of hours` });
      }
      if (event.outcome !== 0 && on('refusals')) {
        // Strangers have no name; their address tells them apart.
        const who = event.kind === 'anonymous' ? `address ${event.address ?? 'none'}` : subject;
        const times = reaches('refusals', who, since('refusals'));
        if (times !== undefined) {
          found.push({
            rule: 'refusals',
            subject: who,
            what: `${times} refusals within ${all.refusals.minutes} minutes`,
          });
        }
      }
      if (event.kind === 'user' && event.outcome === 0 && on('export') && EXPORTS.has(event.event)) {
        const times = reaches('export', subject, since('export'));
        if (times !== undefined) {
          found.push({
            rule: 'export',
            subject,
            what: `${times} files or prints within ${all.export.minutes} minutes`,
          });
        }
      }
      if (event.outcome === 0 && on('break-glass') && isEmergency(event.event)) {
        found.push({ rule: 'break-glass', subject, what: 'Emergency access was used' });
      }
      if (event.event === 'audit.verify' && event.outcome !== 0 && on('log-damaged')) {
        found.push({ rule: 'log-damaged', subject: 'verify', what: 'A verification of the log found it damaged' });
      }
      return found;
    },
  };
}
