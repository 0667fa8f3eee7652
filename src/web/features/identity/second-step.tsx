import { Button, Checkbox, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { RecoveryCode, SignInCodeAnswer } from '../../../features/identity/wire.ts';
import { api } from '../../app/api.ts';
import { asFailure } from '../../app/failure.ts';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { CodeField, isCode } from './code-field.tsx';
import { passkeysWork, signWithPasskey, wasCancelled } from './passkey.ts';
import { useGoOn } from './go-on.ts';

const WRONG_SHAPE = {
  code: 'Six digits are needed.',
  recovery: 'A recovery code looks like 7K2M-…, 24 letters and digits.',
} as const;

export interface SecondStepProps {
  /** What this person has; undefined after a reload, when only the server knows. */
  readonly ways: readonly ('authenticator' | 'passkey')[] | undefined;
  readonly mayTrust: boolean;
  readonly onStartAgain: () => void;
}

/** Second step: the app's code, a passkey, or one of the recovery codes when everything else is lost. */
export function SecondStep({ ways, mayTrust, onStartAgain }: SecondStepProps): ReactNode {
  const hasPasskey = passkeysWork() && (ways === undefined || ways.includes('passkey'));
  const hasCode = ways === undefined || ways.includes('authenticator');
  const [way, setWay] = useState<Way>(hasCode ? 'code' : 'passkey');
  const [text, setText] = useState('');
  const [trust, setTrust] = useState(false);
  const [error, setError] = useState<string>();
  const [codesLeft, setCodesLeft] = useState<number>();
  const goOn = useGoOn();
  const confirm = useMutation({
    mutationFn: async (by: 'text' | 'passkey'): Promise<Partial<SignInCodeAnswer>> => {
      if (by === 'passkey') {
        const credential = await signWithPasskey('/api/sign-in/passkey/options', { alone: false });
        await api.act('POST', '/api/sign-in/passkey', { credential, alone: false, trust }, { signingIn: true });
        return {};
      }
      const body = way === 'code' ? { code: text, trust } : { recoveryCode: text };
      return await api.send('POST', '/api/sign-in/code', SignInCodeAnswer, body, { signingIn: true });
    },
    onSuccess: async (answer) => {
      if (answer.recoveryCodesLeft !== undefined) setCodesLeft(answer.recoveryCodesLeft);
      else await goOn();
    },
    onError: () => setText(''),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (way === 'passkey') {
      confirm.mutate('passkey');
      return;
    }
    const fits = way === 'code' ? isCode(text) : RecoveryCode.safeParse(text).success;
    setError(fits ? undefined : WRONG_SHAPE[way]);
    if (fits) confirm.mutate('text');
  };
  const turn = (to: Way): void => {
    setWay(to);
    setText('');
    setError(undefined);
    confirm.reset();
  };
  if (codesLeft !== undefined) return <RecoveryUsed left={codesLeft} onGoOn={() => void goOn()} />;
  const failed = confirm.isError && !wasCancelled(confirm.error);
  const expired = failed && asFailure(confirm.error).code === 'sign-in-expired';
  return (
    <form onSubmit={submit} noValidate>
      {failed && <FailureNotice error={confirm.error} focus />}
      {way !== 'passkey' && <ProofField way={way} text={text} error={error} onChange={setText} />}
      {mayTrust && way !== 'recovery' && (
        <Checkbox
          label="Do not ask again on this device"
          description="Only on a device that nobody else uses. The password is still asked for."
          checked={trust}
          onChange={(event) => setTrust(event.currentTarget.checked)}
        />
      )}
      {expired ? (
        <Button size="md" fullWidth onClick={onStartAgain}>
          Start again with the password
        </Button>
      ) : (
        <Button type="submit" size="md" fullWidth loading={confirm.isPending}>
          {way === 'passkey' ? 'Use my passkey' : 'Sign in'}
        </Button>
      )}
      <OtherWays way={way} hasCode={hasCode} hasPasskey={hasPasskey} onTurn={turn} onStartAgain={onStartAgain} />
    </form>
  );
}

type Way = 'code' | 'recovery' | 'passkey';

interface OtherWaysProps {
  readonly way: Way;
  readonly hasCode: boolean;
  readonly hasPasskey: boolean;
  readonly onTurn: (to: Way) => void;
  readonly onStartAgain: () => void;
}

function OtherWays({ way, hasCode, hasPasskey, onTurn, onStartAgain }: OtherWaysProps): ReactNode {
  return (
    <div className="gate-ways">
      {way !== 'code' && hasCode && (
        <button type="button" className="link-button" onClick={() => onTurn('code')}>
          Use the code from my app
        </button>
      )}
      {way !== 'passkey' && hasPasskey && (
        <button type="button" className="link-button" onClick={() => onTurn('passkey')}>
          Use a passkey
        </button>
      )}
      {way !== 'recovery' && (
        <button type="button" className="link-button" onClick={() => onTurn('recovery')}>
          I have neither telephone nor passkey: use a recovery code
        </button>
      )}
      <button type="button" className="link-button" onClick={onStartAgain}>
        Not me: start again
      </button>
    </div>
  );
}

interface ProofFieldProps {
  readonly way: 'code' | 'recovery';
  readonly text: string;
  readonly error: string | undefined;
  readonly onChange: (text: string) => void;
}

function ProofField({ way, text, error, onChange }: ProofFieldProps): ReactNode {
  if (way === 'code') return <CodeField value={text} onChange={onChange} error={error} autoFocus />;
  return <RecoveryField value={text} error={error} onChange={onChange} />;
}

export interface RecoveryFieldProps {
  readonly value: string;
  readonly error: string | undefined;
  readonly onChange: (text: string) => void;
}

export function RecoveryField({ value, error, onChange }: RecoveryFieldProps): ReactNode {
  return (
    <TextInput
      label="Recovery code"
      description="One of the ten you stored when you started. Each works once."
      size="md"
      autoFocus
      autoComplete="off"
      spellCheck={false}
      value={value}
      error={error}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

function RecoveryUsed({ left, onGoOn }: { readonly left: number; readonly onGoOn: () => void }): ReactNode {
  return (
    <div className="gate-body">
      <Notice tone={left <= 3 ? 'amber' : 'done'} title="You are signed in" live>
        <p>That recovery code is used up. {left === 1 ? 'One is' : `${left} are`} left.</p>
        <p>If your telephone is gone for good, add another factor under “My account”, or ask an administrator.</p>
      </Notice>
      <Button size="md" onClick={onGoOn} autoFocus>
        Go on
      </Button>
    </div>
  );
}
