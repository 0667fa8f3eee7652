import type { Permission } from '../../../kernel/access.ts';

/** Permissions as people say them. */
export const PERMISSION_WORDS: Readonly<Record<Permission, string>> = {
  'client.read': 'See clients',
  'client.write': 'Register and change clients',
  'client.load': 'Load files of clients',
  'client.delete': 'Delete source records',
  'client.share': 'Share clients with other organisations',
  'client.break-glass': 'Reach every client in an emergency',
  'review.read': 'See reviews',
  'review.decide': 'Decide which records are one person',
  'node.read': 'See nodes',
  'node.manage': 'Connect and end nodes',
  'user.read': 'See people and their rights',
  'user.manage': 'Invite, change and reset people',
  'organisation.manage': 'Organisations, ceilings and roles',
  'audit.read': 'Read the audit log',
  'audit.send': 'Send audit records',
  'settings.manage': 'Keys, policies and settings',
} as Readonly<Record<Permission, string>>;

export const permissionWords = (permission: Permission): string => PERMISSION_WORDS[permission] ?? permission;
