import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { SignInPasswordAnswer } from '../../../features/identity/wire.ts';
import { api } from '../../app/api.ts';
import { IconKey } from '../../ui/icons.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { useGoOn } from './go-on.ts';
import { ProviderButtons } from './provider-buttons.tsx';
import { passkeysWork, signWithPasskey, wasCancelled } from './passkey.ts';
import type { SecondStepProps } from './second-step.tsx';

export interface PasswordStepProps {
  readonly onSecond: (factors: Pick<SecondStepProps, 'ways' | 'mayTrust'>) => void;
}

/** First step. The answer never tells whether the address or the password was wrong. */
export function PasswordStep({ onSecond }: PasswordStepProps): ReactNode {
  const goOn = useGoOn();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [missing, setMissing] = useState<{ email?: string; password?: string }>({});
  const signIn = useMutation({
    mutationFn: () =>
      api.send(
        'POST',
        '/api/sign-in/password',
        SignInPasswordAnswer,
        { email: email.trim(), password },
        { signingIn: true },
      ),
    onSuccess: async (answer) => {
      if (answer.next === 'signed-in') await goOn();
      else onSecond({ ways: answer.ways, mayTrust: answer.mayTrust });
    },
    onError: () => setPassword(''),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const gaps = {
      ...(email.trim() === '' ? { email: 'Type your e-mail address.' } : {}),
      ...(password === '' ? { password: 'Type your password.' } : {}),
    };
    setMissing(gaps);
    if (Object.keys(gaps).length === 0) signIn.mutate();
  };
  return (
    <form onSubmit={submit} noValidate>
      {signIn.isError && <FailureNotice error={signIn.error} focus />}
      <TextInput
        label="E-mail"
        name="email"
        type="email"
        autoComplete="username"
        size="md"
        autoFocus
        value={email}
        error={missing.email}
        onChange={(event) => setEmail(event.currentTarget.value)}
      />
      <PasswordInput
        label="Password"
        name="password"
        autoComplete="current-password"
        size="md"
        value={password}
        error={missing.password}
        visibilityToggleButtonProps={{ 'aria-label': 'Show the password', tabIndex: 0 }}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      <Button type="submit" size="md" fullWidth loading={signIn.isPending}>
        Continue
      </Button>
      {passkeysWork() && <PasskeyButton />}
      <ProviderButtons />
      <Help />
    </form>
  );
}

/** Without the password: the browser offers the passkeys it has for this address. */
function PasskeyButton(): ReactNode {
  const goOn = useGoOn();
  const passkey = useMutation({
    mutationFn: async () => {
      const credential = await signWithPasskey('/api/sign-in/passkey/options', { alone: true });
      await api.act('POST', '/api/sign-in/passkey', { credential, alone: true }, { signingIn: true });
    },
    onSuccess: goOn,
  });
  const passkeyFailed = passkey.isError && !wasCancelled(passkey.error);
  return (
    <>
      {passkeyFailed && <FailureNotice error={passkey.error} focus />}
      <Button
        type="button"
        variant="default"
        size="md"
        fullWidth
        leftSection={<IconKey size={17} aria-hidden />}
        loading={passkey.isPending}
        onClick={() => passkey.mutate()}
      >
        Sign in with a passkey
      </Button>
    </>
  );
}

function Help(): ReactNode {
  return (
    <details className="gate-help">
      <summary>I cannot sign in</summary>
      <p>
        <Link to="/forgot">I forgot my password</Link>: you get a link by e-mail, and need your second factor.
      </p>
      <p>
        For a lost telephone use a recovery code after the password. Without one, an administrator of your organisation
        can start a reset for you: you get a link and set up another second factor yourself. Nobody can read your old
        password, and nobody chooses the new one for you.
      </p>
    </details>
  );
}
