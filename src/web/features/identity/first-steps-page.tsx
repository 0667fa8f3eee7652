import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useEffect, useState } from 'react';
import { type AccountAnswer, LinkAnswer } from '../../../features/identity/wire.ts';
import { api } from '../../app/api.ts';
import { asFailure } from '../../app/failure.ts';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { AccountStep } from './account-step.tsx';
import { FactorStep } from './factor-step.tsx';
import { Gate } from './gate.tsx';
import { useLinkToken } from './link-token.ts';
import { RecoveryStep } from './recovery-step.tsx';

export function SetupPage(): ReactNode {
  return <FirstSteps kind="setup" />;
}

export function EnrolPage(): ReactNode {
  return <FirstSteps kind="enrol" />;
}

const STEPS = ['Account', 'Second factor', 'Recovery codes'] as const;
/** Where the policy asks nobody for a second factor. */
const ONE_STEP = ['Account'] as const;

/** Account, second factor, recovery codes: for the first administrator and for everybody who was invited. */
function FirstSteps({ kind }: { readonly kind: 'setup' | 'enrol' }): ReactNode {
  const token = useLinkToken();
  const [totp, setTotp] = useState<AccountAnswer['totp']>();
  const [codes, setCodes] = useState<readonly string[]>();
  const link = useQuery({
    queryKey: ['link', kind, token],
    queryFn: ({ signal }) => api.send('POST', `/api/${kind}/link`, LinkAnswer, { token }, { signal, signingIn: true }),
    enabled: token !== '',
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  useWarnBeforeLeaving(totp !== undefined);
  const steps = link.data?.secondFactor === 'off' && totp === undefined ? ONE_STEP : STEPS;
  const step = (now: number) => ({ now, of: steps.length, names: steps });
  if (codes) {
    return (
      <Gate
        wide
        step={step(3)}
        title="Store your recovery codes"
        sentence="If you lose your telephone, one of these lets you in. Each works once. They are shown only now."
      >
        <RecoveryStep codes={codes} />
      </Gate>
    );
  }
  if (totp) {
    return (
      <Gate
        wide
        step={step(2)}
        title="Connect your second factor"
        sentence="A stolen password alone will open nothing. You need an authenticator app on your telephone."
      >
        <FactorStep {...{ kind, token, totp }} optional={link.data?.secondFactor === 'optional'} onDone={setCodes} />
      </Gate>
    );
  }
  if (token === '' || link.isError)
    return <DeadLink kind={kind} error={link.error} onRetry={() => void link.refetch()} />;
  if (!link.data) return <Gate title="Checking the link">{null}</Gate>;
  const welcome =
    kind === 'setup'
      ? {
          title: 'Set up Careseal',
          sentence: 'You become the first administrator. The next people you invite yourself.',
        }
      : {
          title: 'Welcome',
          sentence: `${link.data.organisation ?? 'Your organisation'} invited you. Choose a password only you know.`,
        };
  return (
    <Gate wide step={step(1)} title={welcome.title} sentence={welcome.sentence}>
      <AccountStep kind={kind} token={token} link={link.data} onDone={setTotp} />
    </Gate>
  );
}

/** Leaving half-way would waste the link's time; the browser asks first. */
function useWarnBeforeLeaving(on: boolean): void {
  useEffect(() => {
    if (!on) return undefined;
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [on]);
}

interface DeadLinkProps {
  readonly kind: 'setup' | 'enrol';
  readonly error: unknown;
  readonly onRetry: () => void;
}

function DeadLink({ kind, error, onRetry }: DeadLinkProps): ReactNode {
  const failure = error ? asFailure(error) : undefined;
  if (failure && ![400, 404, 410].includes(failure.status)) {
    return (
      <Gate title="The link could not be checked">
        <div className="gate-body">
          <FailureNotice error={error} onRetry={onRetry} />
        </div>
      </Gate>
    );
  }
  return (
    <Gate title="This link does not work any more" sentence="It was used already, is too old, or was not copied whole.">
      <div className="gate-body">
        <Notice tone="info" title="What to do">
          {kind === 'setup' ? (
            <>
              <p>On the server, run:</p>
              <p>
                <code>npm run careseal -- setup</code>
              </p>
              <p>It prints a new link, good for 30 minutes.</p>
            </>
          ) : (
            <p>Ask the person who invited you for a new link. They make one on the page “People”.</p>
          )}
        </Notice>
        <Button component={Link} to="/sign-in" variant="default">
          I have an account: sign in
        </Button>
      </div>
    </Gate>
  );
}
