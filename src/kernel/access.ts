/**
 * What one may do. A permission names an act, a role is a set of permissions; nothing else decides access.
 * `features/identity/rules.ts` holds the decision, platform/http asks it once per request.
 */
export const PERMISSIONS = [
  'client.read', // see golden and source records, search, $match
  'client.write', // create and change source records of one's own organisation or node
  'client.load', // load files of records
  'client.delete', // delete a source record
  'review.read',
  'review.decide', // link, separate, merge, unmerge, never-link
  'node.read',
  'node.manage',
  'user.read',
  'user.manage',
  'audit.read',
  'settings.manage', // keys, policies, configuration
] as const;
export type Permission = (typeof PERMISSIONS)[number];

export const ROLES = ['administrator', 'registrar', 'steward', 'auditor'] as const;
export type Role = (typeof ROLES)[number];
