/** HTTP doors: see README.md. */
export { issueAuditReceipt, isGenuineReceipt, type AuditReceipt } from './audited.ts';
export { assertRoutes } from './check-routes.ts';
/** Reads `__Host-<name>` from a Cookie header. */
export { readCookie } from './cookies.ts';
export { createDoor } from './door.ts';
export { operationsRoutes, type OperationsDeps } from './operations-routes.ts';
export type { Credentials, DoorHandle, DoorLog, DoorOptions, RequestSample } from './options.ts';
export type { PeerCertificate } from './peer.ts';
/** How a refusal looks to a FHIR client; for entries of a bundle, which answer each on their own. */
export { operationOutcome, problemStatus } from './problem-reply.ts';
export { createRedirectDoor } from './redirect-door.ts';
export type { Refusal } from './refusals.ts';
export * from './route.ts';
/** Lines of the golden route list. */
export { routeLines } from './route-list.ts';
export { type ConnectionLimits, DEFAULT_CONNECTION_LIMITS, type LiveTls } from './server.ts';
export { loadSite, type Site, type SiteOptions } from './site.ts';
