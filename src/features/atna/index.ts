import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import type { Logger } from '../../platform/log/index.ts';
import type { RouteDeclaration } from '../../platform/http/route.ts';
import type { Audit } from '../audit/index.ts';
import type { KeyRing } from '../../store/index.ts';
import type { CarrierDeps } from './carrier.ts';
import { openSyslogDoors, type SyslogDoorsOptions } from './doors.ts';
import { atnaFhirRoutes } from './fhir-routes.ts';
import { createForwarder, type Forwarder } from './forwarder.ts';
import { createReceivedRetention, type ReceivedRetention } from './received-retention.ts';
import type { Person } from './received-persons.ts';
import { receivedRoutes } from './received-routes.ts';
import { createRepository } from './receiver.ts';
import type { RetrieveDeps } from './retrieve.ts';
import { targetRoutes } from './routes.ts';
import { bindEarlierPlaces, bindEarlierTargets, createTargetBinder } from './target-binding.ts';
import { listTargets } from './target-store.ts';
import { createTargets, type Targets } from './targets.ts';
import { type ReceivedVerification, verifyReceived } from './verify-received.ts';

export { AddTarget } from './wire.ts';
export type { Person } from './received-persons.ts';
export type { ReceivedErased } from './received-retention.ts';
export type { ReceivedVerification } from './verify-received.ts';

/** IHE ATNA: the log goes to other audit repositories (ITI-20), others' events come here, and both are retrieved (ITI-81). */
export interface Atna {
  readonly routes: readonly RouteDeclaration[];
  /** Where events are sent to; for the command line. */
  readonly targets: Targets;
  /** Sends to the targets; in the one process that does background work. */
  readonly forwarder: Forwarder;
  /** Opens the syslog doors for other systems' events; in the processes that serve the other doors. */
  openDoors(options: SyslogDoors): ReturnType<typeof openSyslogDoors>;
  /** Whether what other systems sent is as the log says it came. */
  verifyReceived(): Promise<ReceivedVerification>;
  /** How long that is kept, and how it is erased; at the command line. */
  readonly retention: ReceivedRetention;
  /** Targets that fail, with since when. */
  stoppedTargets(): Promise<readonly { readonly id: string; readonly name: string; readonly sinceMs: number }[]>;
  /** Ids of targets that are not as an administrator left them; none while those of an earlier version are not bound yet. */
  changedTargets(): Promise<readonly string[]>;
}

export type SyslogDoors = Pick<
  SyslogDoorsOptions,
  'host' | 'tls' | 'connections' | 'authenticateNode' | 'onDropped'
> & {
  /** False where another process takes datagrams: their bound counts within one. Missing: they are taken here. */
  readonly datagrams?: boolean;
};

interface Mark {
  isSet(): Promise<boolean>;
  set(): Promise<void>;
}

export interface AtnaDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly clock: Clock;
  readonly audit: Pick<Audit, 'record' | 'recordNow' | 'feed' | 'searchWhole' | 'retention'>;
  readonly log: Logger;
  /** Host name of this installation. */
  readonly site: string;
  /** The client certificate shown to receivers; undefined where none is set up. */
  readonly identity: CarrierDeps['identity'];
  /** Whether targets of earlier versions have been bound; kept outside the database. */
  readonly bound?: Mark;
  /** The same for how far they have come. */
  readonly placesBound?: Mark;
  readonly recordsOf: RetrieveDeps['recordsOf'];
  /** How other systems may name a client of the registry. */
  readonly personOf: (clientId: string) => Promise<Person | undefined>;
  /** Whether this Careseal is the audit repository of other systems, and at which ports beside FHIR. */
  readonly repository: {
    readonly takes: boolean;
    readonly tlsPort: number | undefined;
    readonly udpPort: number | undefined;
  };
}

export function createAtna(deps: AtnaDeps): Atna {
  const { database, keyRing, clock, audit, log, site, identity, bound, placesBound } = deps;
  const { takes, tlsPort, udpPort } = deps.repository;
  const repository = createRepository({ database, keyRing, clock, audit });
  const binder = createTargetBinder(keyRing);
  const targets = createTargets({ database, clock, audit, binder });
  const forwarder = createForwarder({
    database,
    clock,
    audit,
    carrier: { site, identity },
    binder,
    async prepare() {
      if (bound !== undefined) await bindEarlierTargets(database, binder, bound);
      if (placesBound !== undefined) await bindEarlierPlaces(database, binder, placesBound);
    },
    onChange({ id }, failure) {
      if (failure === undefined) log.info('An audit receiver takes events again', { target: id });
      else log.warn('An audit receiver takes no events; they wait in the log', { target: id, failure });
    },
  });
  const ports = {
    ...(tlsPort === undefined ? {} : { tlsPort }),
    ...(udpPort === undefined ? {} : { udpPort }),
  };
  // A certificate that cannot be read is a failure of each target that needs it, told there.
  const about = async () => ({
    identity: (await identity().catch(() => undefined)) !== undefined,
    ...(takes ? { repository: ports } : {}),
  });
  return {
    targets,
    routes: [
      ...targetRoutes({ targets, about }),
      ...atnaFhirRoutes({ database, audit, repository, recordsOf: deps.recordsOf, takes }),
      ...receivedRoutes({ database, audit, repository, takes: takes ? { takes, ...ports } : { takes } }),
    ],
    openDoors: ({ datagrams = true, ...options }) =>
      openSyslogDoors({
        ...options,
        tlsPort: takes ? tlsPort : undefined,
        udpPort: takes && datagrams ? udpPort : undefined,
        repository,
        audit,
        onFailure: (error) => log.error('Audit events of other systems could not be kept', { error }),
      }),
    forwarder,
    verifyReceived: () => verifyReceived({ database, repository, audit }),
    retention: createReceivedRetention({ repository, audit, personOf: deps.personOf }),
    async stoppedTargets() {
      const all = await listTargets(database);
      return all.flatMap(({ id, name, paused, failingSince }) =>
        paused || failingSince === null ? [] : [{ id, name, sinceMs: failingSince.getTime() }],
      );
    },
    async changedTargets() {
      if ((await bound?.isSet()) === false || (await placesBound?.isSet()) === false) return [];
      const all = await listTargets(database);
      return all.flatMap((target) => (binder.fits(target) && binder.placeOf(target) !== undefined ? [] : [target.id]));
    },
  };
}
