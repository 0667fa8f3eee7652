import type { Actor } from '../../kernel/principal.ts';
import type { RouteDeclaration } from '../../platform/http/route.ts';
import type { Mail } from '../../platform/mail/index.ts';
import { createAlerts } from './alerts.ts';
import { type Checks, type ChecksDeps, createChecks } from './checks.ts';
import { createFollower, type Follower, type FollowerDeps } from './follower.ts';
import { alertRoutes } from './routes.ts';
import { createRuleSettings, type RuleSettingsDeps } from './rule-settings.ts';
import type { Audit } from '../audit/index.ts';

export type { PersonName } from './rules.ts';

/** Alerts from the audit log: to the page, by mail, and as events to syslog. */
export interface AlertsFeature {
  readonly routes: readonly RouteDeclaration[];
  readonly follower: Pick<Follower, 'catchUp'>;
  readonly checks: Pick<Checks, 'run'>;
  /** How many alerts that somebody may see nobody has taken on. */
  readonly waiting: (actor: Actor) => Promise<number>;
  /** How many rules somebody has changed in the database. */
  readonly changedRules: () => Promise<number>;
  /** Begins to watch; in the one process that does background work. */
  start(): void;
  stop(): Promise<void>;
}

export interface AlertsFeatureDeps
  extends Pick<FollowerDeps, 'database' | 'keyRing' | 'clock' | 'namesOf' | 'people' | 'onFailure'>,
    Pick<ChecksDeps, 'logIsWhole' | 'witnessedMs' | 'stoppedTargets' | 'changedTargets' | 'pageUrl'>,
    Pick<RuleSettingsDeps, 'readers' | 'bound' | 'laterBound' | 'recipientsBound'>,
    Pick<FollowerDeps, 'placeBound'> {
  readonly audit: Pick<Audit, 'record' | 'recordNow' | 'feed' | 'search'>;
  readonly mail: Pick<Mail, 'configured' | 'enqueue'>;
  /** Ids of the only actors somebody may see; undefined: all. */
  readonly within: (actor: Actor) => Promise<readonly string[] | undefined>;
}

export function createAlertsFeature(deps: AlertsFeatureDeps): AlertsFeature {
  const settings = createRuleSettings(deps);
  const alerts = createAlerts(deps);
  const rules = async () => {
    await settings.bindEarlier();
    return await settings.read();
  };
  const follower = createFollower({ ...deps, alerts, rules });
  const checks = createChecks({
    ...deps,
    alerts,
    rules,
    changedRules: settings.changed,
    recipientsChanged: settings.recipientsChanged,
    reopenChanged: alerts.reopenChanged,
    recipients: settings.recipients,
    enqueue: (tx, mail) => deps.mail.enqueue(tx, mail),
  });
  return {
    routes: alertRoutes({ ...deps, alerts, settings, mailConfigured: deps.mail.configured }),
    follower,
    checks,
    waiting: async (actor) => (await alerts.list({ state: 'open' }, await deps.within(actor))).unacknowledged,
    changedRules: async () => (await settings.changed()).length,
    start() {
      follower.start();
      checks.start();
    },
    async stop() {
      await Promise.all([follower.stop(), checks.stop()]);
    },
  };
}
