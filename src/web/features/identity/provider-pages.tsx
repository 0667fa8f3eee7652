import { Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { VisitAnswer, VisitResult } from '../../../features/identity/wire-organisations.ts';
import { api } from '../../app/api.ts';
import { PageWait } from '../../app/page-wait.tsx';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { Gate } from './gate.tsx';
import { useGoOn } from './go-on.ts';
import { providerChoices } from './rights-queries.ts';
import { SecondStep } from './second-step.tsx';

/** Where identity providers send people back: hands on what came in the address, and takes it out of there at once. */
export function ProviderReturnPage(): ReactNode {
  const goOn = useGoOn();
  const [came] = useState(() => Object.fromEntries(new URLSearchParams(window.location.search)));
  const begun = useRef(false);
  const finish = useMutation({
    mutationFn: () => {
      const { code, state, iss, error } = came;
      return api.send(
        'POST',
        '/api/sign-in/provider/return',
        VisitResult,
        { code, state, iss, error },
        { signingIn: true },
      );
    },
    onSuccess: async ({ next }) => {
      if (next === 'signed-in') await goOn();
      if (next === 'linked') window.location.replace('/profile');
    },
  });
  const { mutate } = finish;
  useEffect(() => {
    if (begun.current) return;
    begun.current = true;
    window.history.replaceState(null, '', '/sign-in/return');
    mutate();
  }, [mutate]);
  if (finish.data?.next === 'second-factor') {
    return (
      <Gate
        title="One more step"
        sentence="Your provider has confirmed you. Now show that you have your second factor."
      >
        <SecondStep ways={undefined} mayTrust={false} onStartAgain={() => window.location.replace('/sign-in')} />
      </Gate>
    );
  }
  if (!finish.isError) return <PageWait />;
  return (
    <Gate title="Sign in" sentence="Coming back from your identity provider.">
      <FailureNotice error={finish.error} focus />
      <p>
        <Link to="/sign-in">Back to sign-in</Link>
      </p>
    </Gate>
  );
}

/** Behind a link from an administrator: links one's identity at a provider with one's account here. */
export function IdentityLinkPage(): ReactNode {
  const [token] = useState(() => window.location.hash.slice(1));
  const choices = useQuery(providerChoices);
  useEffect(() => window.history.replaceState(null, '', '/identity'), []);
  const go = useMutation({
    mutationFn: (providerId: string) =>
      api.send('POST', '/api/identity-link', VisitAnswer, { providerId, token }, { signingIn: true }),
    onSuccess: ({ url }) => window.location.assign(url),
  });
  const offered = choices.data?.providers ?? [];
  return (
    <Gate
      title="Link your identity"
      sentence="Sign in at your provider once, then confirm it on your profile here; from then on it opens your account."
    >
      {go.isError && <FailureNotice error={go.error} focus />}
      {choices.isSuccess && offered.length === 0 && (
        <Notice tone="info">
          <p>No identity provider is in use here. Sign in with your password.</p>
        </Notice>
      )}
      {offered.map(({ id, name }) => (
        <Button key={id} size="md" fullWidth loading={go.isPending} onClick={() => go.mutate(id)}>
          Go to {name}
        </Button>
      ))}
    </Gate>
  );
}
