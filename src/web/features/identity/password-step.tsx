import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { SignInPasswordAnswer } from '../../../features/identity/wire.ts';
import { api } from '../../app/api.ts';
import { FailureNotice } from '../../ui/notice.tsx';

/** First step. The answer never tells whether the address or the password was wrong. */
export function PasswordStep({ onDone }: { readonly onDone: () => void }): ReactNode {
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
    onSuccess: onDone,
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
      <details className="gate-help">
        <summary>I cannot sign in</summary>
        <p>
          An administrator of your organisation can start a reset for you: you get a link and choose a new password and
          second factor yourself. Nobody can read your old password, and nobody chooses the new one for you.
        </p>
      </details>
    </form>
  );
}
