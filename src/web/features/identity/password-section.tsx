import { Button, PasswordInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { api } from '../../app/api.ts';
import { useSession } from '../../app/session.tsx';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { NewPassword } from './new-password.tsx';

/** Another password, with the present one. */
export function PasswordSection({ lengthMin }: { readonly lengthMin: number }): ReactNode {
  const { user } = useSession();
  const [open, setOpen] = useState(false);
  const [current, setCurrent] = useState('');
  const [password, setPassword] = useState('');
  const change = useMutation({
    mutationFn: () => api.act('POST', '/api/password', { current, password }, { signingIn: true }),
    onSuccess: () => {
      setOpen(false);
      setPassword('');
    },
    onSettled: () => setCurrent(''),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (current !== '' && password !== '') change.mutate();
  };
  return (
    <>
      {change.isSuccess && (
        <Notice tone="done" title="Your password is changed" live>
          <p>You were signed out everywhere else, and every device is asked for the second factor again.</p>
        </Notice>
      )}
      {!open && (
        <Button variant="default" onClick={() => setOpen(true)}>
          Choose another password
        </Button>
      )}
      {open && (
        <form className="stack" onSubmit={submit} noValidate>
          {change.isError && <FailureNotice error={change.error} focus />}
          <PasswordInput
            label="Present password"
            autoComplete="current-password"
            autoFocus
            value={current}
            visibilityToggleButtonProps={{ 'aria-label': 'Show the present password', tabIndex: 0 }}
            onChange={(event) => setCurrent(event.currentTarget.value)}
          />
          <NewPassword
            label="New password"
            value={password}
            onChange={setPassword}
            lengthMin={lengthMin}
            words={[user.name, user.email, user.organisation.name]}
            error={undefined}
          />
          <div className="row">
            <Button type="submit" loading={change.isPending} disabled={current === '' || password === ''}>
              Change it
            </Button>
            <Button variant="default" onClick={() => setOpen(false)}>
              Cancel
            </Button>
          </div>
        </form>
      )}
    </>
  );
}
