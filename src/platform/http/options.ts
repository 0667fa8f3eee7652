import type { Principal, RequestOrigin } from '../../kernel/principal.ts';
import type { Problem } from '../../kernel/problem.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Connections } from './connection-cap.ts';
import type { Limits } from './limiter.ts';
import type { PeerCertificate } from './peer.ts';
import type { Refusal } from './refusals.ts';
import type { Access, Door, RouteDeclaration } from './route.ts';
import type { ConnectionLimits, LiveTls } from './server.ts';
import type { Site } from './site.ts';

/** What a request brings along to say who it is. */
export interface Credentials {
  readonly cookieHeader: string | undefined;
  /** The Authorization header as sent. */
  readonly authorization: string | undefined;
  /** Only on the nodes' door. */
  readonly peer: PeerCertificate | undefined;
  readonly origin: RequestOrigin;
}

/** The part of pino this folder uses. Fields and messages hold no health value, name or identifier. */
export interface DoorLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** One finished request, for metrics: the declared path, never the address. */
export interface RequestSample {
  readonly door: Door;
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
  readonly requestId: string;
  /** Who called, on the nodes' door. */
  readonly nodeId?: string;
  /** Code of the Problem that refused it. */
  readonly code?: string;
  /** Announced lengths of request and answer. */
  readonly bytesIn?: number;
  readonly bytesOut?: number;
}

export interface DoorOptions {
  readonly name: Door;
  /** Every route of the application; the door takes those declared for it. */
  readonly routes: readonly RouteDeclaration[];
  /** Host names this door answers under (CARESEAL_HOSTNAMES); the first makes the default base URL. */
  readonly hostNames: readonly string[];
  /** Port that clients see, where a port mapping or balancer makes it another than the one listened on. */
  readonly publicPort?: number;
  /** Absent only on the operations door. */
  readonly tls?: LiveTls;
  /**
   * Who is calling; throws a Problem when that cannot be told (nodes' door) or answers the anonymous principal (users'
   * door without a session). Asked for every request; the door remembers no answer.
   */
  readonly authenticate: (credentials: Credentials) => Promise<Principal> | Principal;
  /** The one decision on access; `undefined` means yes. */
  readonly decideAccess: (principal: Principal, access: Access) => Problem | undefined;
  /** Writes a refusal to the audit log; already bounded, see refusals.ts. */
  readonly recordRefusal: (refusal: Refusal) => Promise<void>;
  readonly clock: Clock;
  readonly newRequestId: () => string;
  readonly log: DoorLog;
  readonly connectionLimits?: Partial<ConnectionLimits>;
  /** Where callers' requests are counted; missing: in this door alone. */
  readonly rates?: Limits;
  /** Where open connections are counted; missing: in this door alone. */
  readonly connections?: Connections;
  /** The web application; users' door only. */
  readonly site?: Site;
  /** Checks answers against the routes' output schemas: on in tests and development, off in production. */
  readonly validateOutput?: boolean;
  /** Prints a FHIR resource as XML, for OperationOutcomes to clients that asked for XML. */
  readonly fhirXml?: (resource: object) => string;
  readonly observe?: (sample: RequestSample) => void;
}

/** An open or opening door. */
export interface DoorHandle {
  /** Binds; the answer's port is the real one where 0 was asked for. */
  listen(at: {
    readonly host: string;
    readonly port: number;
  }): Promise<{ readonly host: string; readonly port: number }>;
  /**
   * Drains: no new connections, requests under way finish, idle connections end; after `drainMs` what is left is cut and
   * handlers' signals are aborted. Writes the refusals that are still counted.
   */
  close(drainMs?: number): Promise<void>;
}
