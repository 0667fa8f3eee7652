import { ActionIcon, Menu, Tooltip, useMantineColorScheme } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Key } from '../ui/bits.tsx';
import {
  IconCheck,
  IconDeviceDesktop,
  IconLock,
  IconLogout,
  IconMoon,
  IconSearch,
  IconSun,
  IconUser,
} from '../ui/icons.ts';
import { Own } from '../ui/text.tsx';
import { api } from './api.ts';
import { initialsOf } from './initials.ts';
import { useKeys } from './keys.ts';
import { usePreferences } from './preferences.tsx';
import { useSession } from './session.tsx';
import { useLeave } from './leave.ts';
import { roleName } from './words.ts';

/** Search everything, whose registry this is, who I am, lock. */
export function TopBar({ onSearch }: { readonly onSearch: () => void }): ReactNode {
  const { user } = useSession();
  const leave = useLeave();
  const lock = (): void => void leave('locked');
  useKeys({ 'mod+l': lock });
  return (
    <section className="bar" aria-label="Search and account">
      <button type="button" className="bar-search" onClick={onSearch}>
        <IconSearch size={17} aria-hidden />
        <span className="bar-search-words">Search everything</span>
        <span className="bar-search-keys" aria-hidden>
          <Key>/</Key>
        </span>
      </button>
      {user.organisations.length > 1 ? (
        <WhereIAm />
      ) : (
        <div className="bar-organisation" title="Organisation">
          <Own>{user.organisation.name}</Own>
        </div>
      )}
      <WhoIAm onLock={lock} />
      <Tooltip label="Lock (Ctrl-L)">
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          onClick={lock}
          aria-label="Lock"
          aria-keyshortcuts="Control+L"
        >
          <IconLock size={19} stroke={1.7} />
        </ActionIcon>
      </Tooltip>
    </section>
  );
}

/** For people of several organisations: in which one they are at work, which decides what they may and to whom new records belong. */
function WhereIAm(): ReactNode {
  const { user } = useSession();
  const queries = useQueryClient();
  const move = useMutation({
    mutationFn: (organisationId: string) => api.act('POST', '/api/session/organisation', { organisationId }),
    // Everything that was read was read for the other organisation.
    onSuccess: () => queries.resetQueries(),
  });
  return (
    <Menu position="bottom-end" width={280} shadow="md" withinPortal>
      <Menu.Target>
        <button
          type="button"
          className="bar-me bar-organisation"
          aria-label={`At work in ${user.organisation.name}. Change`}
        >
          <Own>{user.organisation.name}</Own>
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>At work in</Menu.Label>
        {user.organisations.map((one) => (
          <Menu.Item
            key={one.id}
            disabled={move.isPending}
            rightSection={one.id === user.organisation.id ? <IconCheck size={16} aria-label="chosen" /> : null}
            onClick={() => move.mutate(one.id)}
          >
            <Own>{one.name}</Own>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function WhoIAm({ onLock }: { readonly onLock: () => void }): ReactNode {
  const { user } = useSession();
  const leave = useLeave();
  return (
    <Menu position="bottom-end" width={270} shadow="md" withinPortal>
      <Menu.Target>
        <button type="button" className="bar-me">
          <span className="visually-hidden">Account: </span>
          <span className="bar-initials" data-initials={initialsOf(user.name)} />
          <span className="bar-me-name">
            <Own>{user.name}</Own>
          </span>
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <span className="me-name">
            <Own>{user.name}</Own>
          </span>
          <span className="me-roles">{user.roles.map((role) => roleName(role, user.roleNames)).join(', ')}</span>
        </Menu.Label>
        <Menu.Item leftSection={<IconUser size={17} />} renderRoot={(props) => <Link to="/profile" {...props} />}>
          My account and sessions
        </Menu.Item>
        <Menu.Divider />
        <Appearance />
        <Menu.Divider />
        <Menu.Item leftSection={<IconLock size={17} />} rightSection={<Key>Ctrl L</Key>} onClick={onLock}>
          Lock
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={17} />} onClick={() => void leave(undefined)}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function Appearance(): ReactNode {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const { preferences, change } = usePreferences();
  const tick = (on: boolean): ReactNode => (on ? <IconCheck size={16} aria-label="chosen" /> : null);
  return (
    <>
      <Menu.Label>Appearance</Menu.Label>
      <Menu.Item
        closeMenuOnClick={false}
        leftSection={<IconDeviceDesktop size={17} />}
        rightSection={tick(colorScheme === 'auto')}
        onClick={() => setColorScheme('auto')}
      >
        As this device
      </Menu.Item>
      <Menu.Item
        closeMenuOnClick={false}
        leftSection={<IconSun size={17} />}
        rightSection={tick(colorScheme === 'light')}
        onClick={() => setColorScheme('light')}
      >
        Light
      </Menu.Item>
      <Menu.Item
        closeMenuOnClick={false}
        leftSection={<IconMoon size={17} />}
        rightSection={tick(colorScheme === 'dark')}
        onClick={() => setColorScheme('dark')}
      >
        Dark
      </Menu.Item>
      <Menu.Item
        closeMenuOnClick={false}
        rightSection={tick(preferences.contrast === 'more')}
        onClick={() => change({ contrast: preferences.contrast === 'more' ? 'usual' : 'more' })}
      >
        High contrast
      </Menu.Item>
      <Menu.Item
        closeMenuOnClick={false}
        rightSection={tick(preferences.density === 'compact')}
        onClick={() => change({ density: preferences.density === 'compact' ? 'usual' : 'compact' })}
      >
        Compact rows
      </Menu.Item>
    </>
  );
}
