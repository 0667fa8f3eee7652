import type { Actor } from '../../kernel/principal.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import type { RouteDeclaration } from '../../platform/http/route.ts';
import type { KeyRing } from '../../store/index.ts';
import type { Audit } from '../audit/index.ts';
import { type Activity, createActivity } from './activity.ts';
import { clientRoutes } from './client-routes.ts';
import { createClientViews } from './client-views.ts';
import { reportRoutes } from './routes.ts';
import { createSavedSearches } from './saved-searches.ts';
import { createUserActions, type Members } from './user-actions.ts';

/** Reports made from the audit log: activity, user actions, who looked at a client, disclosures. */
export interface Reports {
  readonly routes: readonly RouteDeclaration[];
  /** Counts the log's events by the hour; in the one process that does background work. */
  readonly activity: Pick<Activity, 'start' | 'stop' | 'catchUp'>;
  /** Everybody who ever acted, by the names they had. */
  actors(): ReturnType<Activity['actors']>;
}

export interface ReportsDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly clock: Clock;
  readonly audit: Pick<Audit, 'record' | 'recordNow' | 'feed' | 'search' | 'status'>;
  /** The client and the records it is made of. */
  readonly idsOf: (clientId: string) => Promise<readonly string[]>;
  readonly sees: (actor: Actor, clientId: string) => Promise<boolean>;
  readonly audits: (actor: Actor, clientId: string) => Promise<boolean>;
  readonly organisations: () => Promise<readonly { readonly id: string; readonly name: string }[]>;
  readonly members: Members;
  readonly onFailure: (error: unknown) => void;
}

export function createReports(deps: ReportsDeps): Reports {
  const { database, keyRing, clock, audit, members } = deps;
  const nowMs = (): number => clock.nowMs();
  const activity = createActivity({ database, keyRing, clock, audit, onFailure: deps.onFailure });
  const views = createClientViews({ audit, idsOf: deps.idsOf, audits: deps.audits, members, nowMs });
  const actions = createUserActions({ audit, members, nowMs });
  const saved = createSavedSearches({ keyRing, clock });
  return {
    activity,
    actors: () => activity.actors(undefined),
    routes: [
      ...reportRoutes({ database, audit, activity, actions, saved, members, organisations: deps.organisations }),
      ...clientRoutes({ audit, views, nowMs, sees: deps.sees }),
    ],
  };
}
