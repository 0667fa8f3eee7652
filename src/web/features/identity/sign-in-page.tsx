import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { sessionQuery } from '../../app/session.tsx';
import { useEnding } from '../../app/ending.ts';
import { whySignedOut } from '../../app/place.ts';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { Gate } from './gate.tsx';
import { PasswordStep } from './password-step.tsx';
import { UnendedGate } from './unended-gate.tsx';
import { SecondStep, type SecondStepProps } from './second-step.tsx';

type SecondFactors = Pick<SecondStepProps, 'ways' | 'mayTrust'>;
/** The server alone knows which factors the person has: all are offered. */
const AFTER_RELOAD: SecondFactors = { ways: undefined, mayTrust: false };

/** Password, then code or passkey; or a passkey alone. The server remembers how far one is, so a reload does not start again. */
export function SignInPage(): ReactNode {
  const session = useQuery(sessionQuery);
  const [step, setStep] = useState<'password' | SecondFactors>();
  const [because] = useState(whySignedOut);
  const ending = useEnding();
  const owed = session.data?.state === 'second-factor' ? AFTER_RELOAD : 'password';
  const at = step ?? owed;
  if (ending === 'unended') return <UnendedGate />;
  if (ending === 'trying') return <Gate title="Signing out">Telling the server.</Gate>;
  if (at !== 'password') {
    return (
      <Gate title="One more step" sentence="Your password was right. Now show that you have your second factor.">
        <SecondStep {...at} onStartAgain={() => setStep('password')} />
      </Gate>
    );
  }
  return (
    <Gate title="Sign in" sentence="With the e-mail address and password of your Careseal account.">
      {ending === 'ended-late' && (
        <div className="gate-body">
          <Notice tone="done" live>
            <p>You are signed out now. The server has ended your session.</p>
          </Notice>
        </div>
      )}
      {because === 'expired' && (
        <div className="gate-body">
          <Notice tone="info" live>
            <p>You were signed out because nobody moved for a while, or your session ended.</p>
            <p>What you typed is kept; signing in brings you back.</p>
          </Notice>
        </div>
      )}
      {because === 'locked' && (
        <div className="gate-body">
          <Notice tone="info" live>
            <p>Locked. Signing in brings you back to where you were.</p>
          </Notice>
        </div>
      )}
      {session.isError && (
        <div className="gate-body">
          <FailureNotice error={session.error} onRetry={() => void session.refetch()} />
        </div>
      )}
      <PasswordStep onSecond={setStep} />
    </Gate>
  );
}
