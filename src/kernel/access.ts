/**
 * What one may do. A permission names an act, a role is a set of permissions; nothing else decides access.
 * `features/identity/rules.ts` holds the decision, platform/http asks it once per request.
 */
export const PERMISSIONS = [
  'client.read', // see golden and source records, search, $match
  'client.write', // create and change source records of one's own organisation or node
  'client.load', // load files of records
  'client.delete', // delete a source record
  'client.share', // let another organisation see a client
  'client.break-glass', // reach every client for a short time in an emergency, reviewed afterwards
  'review.read',
  'review.decide', // link, separate, merge, unmerge, never-link
  'node.read',
  'node.manage',
  'user.read',
  'user.manage',
  'organisation.manage', // organisations, their ceilings, roles of one's own making
  'audit.read',
  'settings.manage', // keys, policies, configuration
] as const;
export type Permission = (typeof PERMISSIONS)[number];

export const ROLES = ['administrator', 'registrar', 'steward', 'auditor'] as const;
export type Role = (typeof ROLES)[number];

/**
 * What a node may be allowed, per interaction: narrower than a permission, and asked besides it. A user has none; routes
 * of the nodes' door name the one they need.
 */
export const NODE_SCOPES = [
  'read', // a record by its id, and its versions
  'search', // ITI-78
  'pix', // ITI-83: other identifiers of the same person
  'match', // ITI-119
  'feed', // create, change and delete its own records: ITI-104, ITI-93
  'subscribe', // ITI-94
  'audit', // ITI-20, ITI-81
] as const;
export type NodeScope = (typeof NODE_SCOPES)[number];
