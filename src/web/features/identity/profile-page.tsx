import { Button, Select, useMantineColorScheme } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { type Preferences, usePreferences } from '../../app/preferences.tsx';
import { api } from '../../app/api.ts';
import { useLeave } from '../../app/leave.ts';
import { useSession } from '../../app/session.tsx';
import { isBuiltIn, ROLE_WORDS, roleName } from '../../app/words.ts';
import { Facts, Tag } from '../../ui/bits.tsx';
import { ListSkeleton } from '../../ui/list-table.tsx';
import { FailureNotice } from '../../ui/notice.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { Ago, Moment, Own } from '../../ui/text.tsx';
import { IdentitiesSection } from './identities-section.tsx';
import { TokensSection } from './tokens-section.tsx';
import { FactorsSection } from './factors-section.tsx';
import { PasswordSection } from './password-section.tsx';
import { deviceWords } from './user-agent.ts';
import { sessionList } from './user-queries.ts';
import './people.css';

/** One's own account: what one may do, where one is signed in, how Careseal looks here. */
export function ProfilePage(): ReactNode {
  const session = useSession();
  const { user } = session;
  return (
    <Page
      title="My account"
      sentence="What you may do, where you are signed in, and how Careseal looks on this device."
      width="reading"
    >
      <Facts
        facts={[
          ['Name', <Own key="name">{user.name}</Own>],
          ['E-mail', user.email],
          ['Organisation', <Own key="organisation">{user.organisation.name}</Own>],
          [
            user.roles.length === 1 ? 'Role' : 'Roles',
            <div key="roles">
              {user.roles.map((role) => (
                <div key={role}>
                  {roleName(role, user.roleNames)}{' '}
                  {isBuiltIn(role) && <span className="soft">{ROLE_WORDS[role].may}</span>}
                </div>
              ))}
            </div>,
          ],
          session.absoluteEndsAt === undefined
            ? undefined
            : ['Signed in until', <Moment key="until" iso={session.absoluteEndsAt} />],
        ]}
      />
      <p className="soft small">To change your name or your roles, ask an administrator: nobody changes their own.</p>
      <FactorsSection />
      <Section title="Password">
        <PasswordSection lengthMin={8} />
      </Section>
      <Section title="Where you are signed in" note="Do you not know one of these? End it, and tell an administrator.">
        <Sessions />
      </Section>
      <IdentitiesSection />
      <TokensSection />
      <Section title="On this device">
        <Look />
      </Section>
    </Page>
  );
}

function Sessions(): ReactNode {
  const list = useQuery(sessionList);
  const queries = useQueryClient();
  const leave = useLeave();
  const end = useMutation({
    mutationFn: (id: string) => api.act('DELETE', `/api/sessions/${id}`),
    onSuccess: () => queries.invalidateQueries({ queryKey: sessionList.queryKey }),
  });
  const endOthers = useMutation({
    mutationFn: () => api.act('DELETE', '/api/sessions'),
    onSuccess: () => queries.invalidateQueries({ queryKey: sessionList.queryKey }),
  });
  if (list.isPending) return <ListSkeleton rows={2} />;
  if (list.isError) return <FailureNotice error={list.error} onRetry={() => void list.refetch()} />;
  return (
    <>
      {endOthers.isError && <FailureNotice error={endOthers.error} focus />}
      {end.isError && <FailureNotice error={end.error} focus />}
      <ul className="sessions">
        {list.data.sessions.map((one) => (
          <li key={one.id}>
            <div>
              <strong>{deviceWords(one.userAgent)}</strong> {one.current && <Tag tone="accent">this one</Tag>}
              <div className="soft small">
                {one.address !== undefined && `${one.address}, `}since <Moment iso={one.startedAt} />, last seen{' '}
                <Ago iso={one.lastSeenAt} />
              </div>
            </div>
            {one.current ? (
              <Button variant="default" size="xs" onClick={() => void leave(undefined)}>
                Sign out
              </Button>
            ) : (
              <Button
                variant="default"
                size="xs"
                aria-label={`End it: the session of ${deviceWords(one.userAgent)}`}
                loading={end.isPending && end.variables === one.id}
                onClick={() => end.mutate(one.id)}
              >
                End it
              </Button>
            )}
          </li>
        ))}
      </ul>
      {list.data.sessions.length > 1 && (
        <div className="row drawer-actions">
          <Button variant="default" loading={endOthers.isPending} onClick={() => endOthers.mutate()}>
            End all others
          </Button>
        </div>
      )}
    </>
  );
}

function Look(): ReactNode {
  const { preferences, change } = usePreferences();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const pick =
    <K extends keyof Preferences>(key: K, values: readonly Preferences[K][]) =>
    (value: string | null): void => {
      const chosen = values.find((one) => String(one) === value);
      if (chosen !== undefined) change({ [key]: chosen });
    };
  return (
    <div className="choices">
      <Select
        label="Colours"
        allowDeselect={false}
        value={colorScheme}
        data={[
          { value: 'auto', label: 'as this device' },
          { value: 'light', label: 'light' },
          { value: 'dark', label: 'dark' },
        ]}
        onChange={(value) => setColorScheme(value === 'light' || value === 'dark' ? value : 'auto')}
      />
      <Select
        label="Contrast"
        allowDeselect={false}
        value={preferences.contrast}
        data={[
          { value: 'usual', label: 'usual' },
          { value: 'more', label: 'high' },
        ]}
        onChange={pick('contrast', ['usual', 'more'])}
      />
      <Select
        label="Rows of lists"
        allowDeselect={false}
        value={preferences.density}
        data={[
          { value: 'usual', label: 'usual' },
          { value: 'compact', label: 'compact' },
        ]}
        onChange={pick('density', ['usual', 'compact'])}
      />
      <Select
        label="Hide the page when nobody moves"
        allowDeselect={false}
        value={String(preferences.privacyAfterSeconds)}
        data={[
          { value: '30', label: 'after 30 seconds' },
          { value: '60', label: 'after one minute' },
          { value: '180', label: 'after three minutes' },
          { value: '0', label: 'never' },
        ]}
        onChange={pick('privacyAfterSeconds', [30, 60, 180, 0])}
      />
    </div>
  );
}
