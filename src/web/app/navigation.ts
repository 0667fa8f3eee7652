import type { Permission } from '../../kernel/access.ts';
import {
  IconBuildingHospital,
  IconClipboardList,
  IconArrowsExchange,
  IconFileUpload,
  IconHome,
  IconLock,
  IconUsers,
  IconUsersGroup,
} from '../ui/icons.ts';

export interface NavigationEntry {
  readonly to: '/' | '/clients' | '/reviews' | '/load' | '/nodes' | '/audit' | '/people' | '/policy';
  readonly name: string;
  readonly icon: typeof IconHome;
  /** Nobody sees a place they may not enter. */
  readonly needs: Permission | undefined;
  /** Work with clients above, running the place below. */
  readonly part: 'work' | 'running';
  readonly about: string;
}

const ENTRIES: readonly NavigationEntry[] = [
  { to: '/', name: 'Home', icon: IconHome, needs: undefined, part: 'work', about: 'What needs attention' },
  {
    to: '/clients',
    name: 'Clients',
    icon: IconUsersGroup,
    needs: 'client.read',
    part: 'work',
    about: 'Find a person and see their records',
  },
  {
    to: '/reviews',
    name: 'Reviews',
    icon: IconArrowsExchange,
    needs: 'review.read',
    part: 'work',
    about: 'Decide which records are one person',
  },
  {
    to: '/load',
    name: 'Load',
    icon: IconFileUpload,
    needs: 'client.load',
    part: 'running',
    about: 'Load a file of clients',
  },
  {
    to: '/nodes',
    name: 'Nodes',
    icon: IconBuildingHospital,
    needs: 'node.read',
    part: 'running',
    about: 'Systems that send and ask for clients',
  },
  { to: '/audit', name: 'Audit', icon: IconClipboardList, needs: 'audit.read', part: 'running', about: 'Who did what' },
  { to: '/people', name: 'People', icon: IconUsers, needs: 'user.read', part: 'running', about: 'Accounts and roles' },
  {
    to: '/policy',
    name: 'Policy',
    icon: IconLock,
    needs: 'settings.manage',
    part: 'running',
    about: 'How people sign in',
  },
];

export function entriesFor(permissions: readonly Permission[]): readonly NavigationEntry[] {
  return ENTRIES.filter((entry) => entry.needs === undefined || permissions.includes(entry.needs));
}

/** The place that this address belongs to, when the person may not enter it: told calmly, instead of by refused requests. */
export function closedPlace(pathname: string, permissions: readonly Permission[]): NavigationEntry | undefined {
  return ENTRIES.find(
    ({ to, needs }) =>
      needs !== undefined && !permissions.includes(needs) && (pathname === to || pathname.startsWith(`${to}/`)),
  );
}

/** The five of the bottom bar: all if they fit, else four and "More". */
export function bottomBar(entries: readonly NavigationEntry[]): {
  readonly shown: readonly NavigationEntry[];
  readonly more: readonly NavigationEntry[];
} {
  return entries.length <= 4 ? { shown: entries, more: [] } : { shown: entries.slice(0, 4), more: entries.slice(4) };
}
