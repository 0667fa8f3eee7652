import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import type { Logger } from '../../platform/log/index.ts';
import type { RouteDeclaration } from '../../platform/http/route.ts';
import type { Audit } from '../audit/index.ts';
import type { CarrierDeps } from './carrier.ts';
import { createForwarder, type Forwarder } from './forwarder.ts';
import { targetRoutes } from './routes.ts';
import { listTargets } from './target-store.ts';
import { createTargets } from './targets.ts';

/** IHE ATNA: the log goes to other audit repositories (ITI-20). */
export interface Atna {
  readonly routes: readonly RouteDeclaration[];
  /** Sends to the targets; in the one process that does background work. */
  readonly forwarder: Forwarder;
  /** Targets that fail, with since when. */
  stoppedTargets(): Promise<readonly { readonly id: string; readonly name: string; readonly sinceMs: number }[]>;
}

export interface AtnaDeps {
  readonly database: Database;
  readonly clock: Clock;
  readonly audit: Pick<Audit, 'record' | 'recordNow' | 'feed'>;
  readonly log: Logger;
  /** Host name of this installation. */
  readonly site: string;
  /** The client certificate shown to receivers; undefined where none is set up. */
  readonly identity: CarrierDeps['identity'];
}

export function createAtna({ database, clock, audit, log, site, identity }: AtnaDeps): Atna {
  const targets = createTargets({ database, clock, audit });
  const forwarder = createForwarder({
    database,
    clock,
    audit,
    carrier: { site, identity },
    onChange({ id }, failure) {
      if (failure === undefined) log.info('An audit receiver takes events again', { target: id });
      else log.warn('An audit receiver takes no events; they wait in the log', { target: id, failure });
    },
  });
  // A certificate that cannot be read is a failure of each target that needs it, told there.
  const about = async () => ({ identity: (await identity().catch(() => undefined)) !== undefined });
  return {
    routes: targetRoutes({ targets, about }),
    forwarder,
    async stoppedTargets() {
      const all = await listTargets(database);
      return all.flatMap(({ id, name, paused, failingSince }) =>
        paused || failingSince === null ? [] : [{ id, name, sinceMs: failingSince.getTime() }],
      );
    },
  };
}
