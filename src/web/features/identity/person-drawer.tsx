import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { UserAnswer, type UserEntry, UserLinkAnswer } from '../../../features/identity/wire.ts';
import { api } from '../../app/api.ts';
import { useMay, useSession } from '../../app/session.tsx';
import { Facts } from '../../ui/bits.tsx';
import { IconBan, IconCheck, IconKey, IconLink } from '../../ui/icons.ts';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { SideDrawer } from '../../ui/side-drawer.tsx';
import { SureDialog } from '../../ui/sure-dialog.tsx';
import { Moment, Own } from '../../ui/text.tsx';
import { PersonSignIn } from './person-sign-in.tsx';
import { PersonTokens } from './person-tokens.tsx';
import { UserState } from './user-state.tsx';
import { Memberships } from './memberships.tsx';
import { providerChoices } from './rights-queries.ts';
import { forgetUsers } from './user-queries.ts';

export interface PersonDrawerProps {
  readonly user: UserEntry;
  readonly mayManage: boolean;
  readonly onClose: () => void;
  readonly onLink: (answer: UserLinkAnswer) => void;
}

type Asking = 'disable' | 'retire' | 'reset' | 'reset-factor';

export function PersonDrawer({ user, mayManage, onClose, onLink }: PersonDrawerProps): ReactNode {
  const self = useSession().user.id === user.id;
  const [asking, setAsking] = useState<Asking>();
  const acts = useActs(user, onLink, () => setAsking(undefined));
  return (
    <SideDrawer title={<Own>{user.name}</Own>} onClose={onClose}>
      <Facts
        facts={[
          ['E-mail', user.email],
          ['State', <UserState key="state" user={user} />],
          ['Second factor', user.secondFactor ? 'enrolled' : 'none yet'],
          ['Last sign-in', user.lastSignInAt === undefined ? 'not yet' : <Moment key="seen" iso={user.lastSignInAt} />],
        ]}
      />
      {user.state === 'changed' && (
        <Notice tone="red" title="Somebody has changed this account in the database">
          <p>
            It opens nothing until it is reset. Roles that are not known to be ours are not shown and do not count:
            reset the sign-in, then give the roles anew. The log says when it was first seen.
          </p>
        </Notice>
      )}
      {self && (
        <p className="soft">
          This is you. Your own roles and state are changed by another administrator.{' '}
          <Link to="/profile">Your account</Link>
        </p>
      )}
      <Actions user={user} manages={mayManage && !self} acts={acts} onAsk={setAsking} />
      {acts.error !== null && (
        <div className="dialog-failure">
          <FailureNotice error={acts.error} focus />
        </div>
      )}
      <Memberships user={user} manages={mayManage && !self} />
      {mayManage && !self && user.state === 'active' && <PersonSignIn userId={user.id} />}
      {mayManage && !self && user.state === 'active' && <PersonTokens userId={user.id} />}
      {asking && <Asked asking={asking} user={user} acts={acts} onClose={() => setAsking(undefined)} />}
    </SideDrawer>
  );
}

type Acts = ReturnType<typeof useActs>;

interface ActionsProps {
  readonly user: UserEntry;
  readonly manages: boolean;
  readonly acts: Acts;
  readonly onAsk: (asking: Asking) => void;
}

function Actions({ user, manages, acts, onAsk }: ActionsProps): ReactNode {
  const may = useMay();
  const hasProviders = (useQuery(providerChoices).data?.providers.length ?? 0) > 0;
  return (
    <div className="row drawer-actions">
      {may('audit.read') && (
        <Button component={Link} to={`/audit?actor=${encodeURIComponent(user.id)}`} variant="default">
          What they did
        </Button>
      )}
      {manages && user.state === 'invited' && (
        <Button
          variant="default"
          leftSection={<IconLink size={17} aria-hidden />}
          loading={acts.link.isPending}
          onClick={() => acts.link.mutate('invite-again')}
        >
          New invitation link
        </Button>
      )}
      {manages && user.state === 'active' && hasProviders && (
        <Button
          variant="default"
          leftSection={<IconLink size={17} aria-hidden />}
          loading={acts.link.isPending}
          onClick={() => acts.link.mutate('link-identity')}
        >
          Link an identity
        </Button>
      )}
      {manages && (user.state === 'active' || user.state === 'changed') && (
        <Button variant="default" leftSection={<IconKey size={17} aria-hidden />} onClick={() => onAsk('reset')}>
          Reset sign-in
        </Button>
      )}
      {manages && user.state === 'active' && (
        <Button variant="default" leftSection={<IconKey size={17} aria-hidden />} onClick={() => onAsk('reset-factor')}>
          Reset second factor
        </Button>
      )}
      {manages && user.state === 'retired' && (
        <Button variant="default" leftSection={<IconLink size={17} aria-hidden />} onClick={() => onAsk('reset')}>
          Bring back
        </Button>
      )}
      {manages && user.state !== 'retired' && (
        <Button variant="default" leftSection={<IconBan size={17} aria-hidden />} onClick={() => onAsk('retire')}>
          Retire
        </Button>
      )}
      {manages && user.state !== 'disabled' && user.state !== 'retired' && (
        <Button variant="default" leftSection={<IconBan size={17} aria-hidden />} onClick={() => onAsk('disable')}>
          Disable
        </Button>
      )}
      {manages && user.state === 'disabled' && (
        <Button
          variant="default"
          leftSection={<IconCheck size={17} aria-hidden />}
          loading={acts.state.isPending}
          onClick={() => acts.state.mutate('enable')}
        >
          Enable
        </Button>
      )}
    </div>
  );
}

interface AskedProps {
  readonly asking: Asking;
  readonly user: UserEntry;
  readonly acts: Acts;
  readonly onClose: () => void;
}

function Asked({ asking, user, acts, onClose }: AskedProps): ReactNode {
  return (
    <>
      {asking === 'disable' && (
        <SureDialog
          title="Disable this account"
          confirm="Disable"
          busy={acts.state.isPending}
          onClose={onClose}
          onSure={() => acts.state.mutate('disable')}
        >
          <p>
            <Own strong>{user.name}</Own> is signed out everywhere at once and cannot sign in. The account and
            everything in the log stay; you can enable it again.
          </p>
        </SureDialog>
      )}
      {asking === 'retire' && (
        <SureDialog
          title="Retire this account"
          confirm="Retire"
          busy={acts.state.isPending}
          onClose={onClose}
          onSure={() => acts.state.mutate('retire')}
        >
          <p>
            For who has left. <Own strong>{user.name}</Own> is signed out everywhere, and nothing to sign in with stays.
            The name stays for the log; nobody is ever deleted. You can bring them back by a new link.
          </p>
        </SureDialog>
      )}
      {asking === 'reset-factor' && (
        <SureDialog
          title="Reset the second factor"
          confirm="Reset and make a link"
          busy={acts.link.isPending}
          onClose={onClose}
          onSure={() => acts.link.mutate('reset-factor')}
        >
          <p>
            For a lost telephone. <Own strong>{user.name}</Own> is signed out everywhere; authenticators, passkeys,
            recovery codes and trusted devices stop working. The password stays.
          </p>
          <p>You get a link to hand over in person. It opens nothing without the password.</p>
        </SureDialog>
      )}
      {asking === 'reset' && (
        <SureDialog
          title="Reset the sign-in"
          confirm="Reset and make a link"
          busy={acts.link.isPending}
          onClose={onClose}
          onSure={() => acts.link.mutate('reset')}
        >
          <p>
            For a lost telephone or a forgotten password. <Own strong>{user.name}</Own> is signed out everywhere;
            password, second factor and recovery codes stop working.
          </p>
          <p>You get a link to hand over. They choose the new password themselves.</p>
        </SureDialog>
      )}
    </>
  );
}

function useActs(user: UserEntry, onLink: (answer: UserLinkAnswer) => void, onDone: () => void) {
  const queries = useQueryClient();
  const state = useMutation({
    mutationFn: (act: 'disable' | 'enable' | 'retire') => api.send('POST', `/api/users/${user.id}/${act}`, UserAnswer),
    onSuccess: () => forgetUsers(queries),
    onSettled: onDone,
  });
  const link = useMutation({
    mutationFn: (act: 'reset' | 'reset-factor' | 'invite-again' | 'link-identity') =>
      api.send('POST', `/api/users/${user.id}/${act}`, UserLinkAnswer),
    onSuccess: async (answer) => {
      onLink(answer);
      await forgetUsers(queries);
    },
    onSettled: onDone,
  });
  return { state, link, error: state.error ?? link.error };
}
