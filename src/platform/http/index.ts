/** HTTP doors: see README.md. */
/** For a refusal whose event a feature has written itself. */
export { type AuditReceipt, markRefusalAudited } from './audited.ts';
/** Throws, listing every fault, unless each route has its access, audit and limits decided. */
export { assertRoutes } from './check-routes.ts';
/** At most so many connections to a door, and of one address, shared between processes where they tell each other. */
export { type Connections, createConnections, type OpenConnections } from './connection-cap.ts';
/** Builds a door; it listens when told to. Throws on undecided routes, and without TLS except for the operations door. */
export { createDoor } from './door.ts';
/** Requests per minute and caller, in bounded memory, shared between processes where they tell each other. */
export { createLimits, type Limiter, type Limits, type Spent } from './limiter.ts';
/** Networks that a caller may come from. */
export { isNetwork, networkCheck } from './networks.ts';
/** OpenAPI of the routes that are not FHIR. */
export { openApiDocument } from './openapi.ts';
/** /healthz, /readyz and /metrics, for the operations door. */
export { operationsRoutes } from './operations-routes.ts';
export type { DoorHandle, DoorLog, DoorOptions, RequestSample } from './options.ts';
/** The client certificate of a TLS connection, for servers that speak something else than HTTP. */
export { type PeerCertificate, peerCertificate } from './peer.ts';
/** Addresses without their IPv6 disguise, and the group that limits count by. */
export { addressGroup, plainAddress } from './address.ts';
/** How a refusal looks to a FHIR client; for entries of a bundle, which answer each on their own. */
export { operationOutcome, problemStatus } from './problem-reply.ts';
/** Plain HTTP that answers 308 to the users' door and nothing else. */
export { createRedirectDoor } from './redirect-door.ts';
/** Refusals for the audit log, equal ones of strangers counted by the minute. */
export { createRefusalReporter, type Refusal, type RefusalReporter } from './refusals.ts';
/** Route declarations: the contract between features and doors. */
export * from './route.ts';
/** Lines of the golden route list. */
export { routeLines } from './route-list.ts';
export type { LiveTls } from './server.ts';
/** Reads dist/web into memory. */
export { loadSite } from './site.ts';
