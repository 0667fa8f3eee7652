import { Button, PasswordInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { StepUpWaysAnswer } from '../../../features/identity/wire-factors.ts';
import { api } from '../../app/api.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { FailureNotice } from '../../ui/notice.tsx';
import { CodeField, isCode } from './code-field.tsx';
import { passkeysWork, signWithPasskey, wasCancelled } from './passkey.ts';

export interface StepUpDialogProps {
  /** True: proved; what was asked for goes on by itself. */
  readonly onDone: (proved: boolean) => void;
}

/** Asks for the second factor again before a dangerous act. What was typed on the page stays. */
export function StepUpDialog({ onDone }: StepUpDialogProps): ReactNode {
  const ways = useQuery({
    queryKey: ['step-up'],
    queryFn: ({ signal }) => api.get('/api/step-up', StepUpWaysAnswer, { signal }),
    gcTime: 0,
  });
  return (
    <Dialog opened onClose={() => onDone(false)} title="Is it still you?" size="sm">
      <p className="dialog-words">
        This needs a fresh proof, because it is some time since you gave your second factor. What you typed is kept.
      </p>
      {ways.isError && <FailureNotice error={ways.error} onRetry={() => void ways.refetch()} />}
      {ways.data && <Proof ways={ways.data.ways} onDone={onDone} />}
    </Dialog>
  );
}

type Ways = StepUpWaysAnswer['ways'];

function Proof({ ways, onDone }: StepUpDialogProps & { readonly ways: Ways }): ReactNode {
  const hasPasskey = ways.includes('passkey') && passkeysWork();
  const [text, setText] = useState('');
  const byPassword = ways.includes('password');
  const prove = useMutation({
    mutationFn: async (by: 'text' | 'passkey') => {
      const body =
        by === 'passkey'
          ? { credential: await signWithPasskey('/api/step-up/options') }
          : byPassword
            ? { password: text }
            : { code: text };
      await api.act('POST', '/api/step-up', body, { signingIn: true });
    },
    onSuccess: () => onDone(true),
    onError: () => setText(''),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (byPassword ? text !== '' : isCode(text)) prove.mutate('text');
  };
  const typed = byPassword || ways.includes('authenticator');
  return (
    <form className="stack" onSubmit={submit} noValidate>
      {prove.isError && !wasCancelled(prove.error) && <FailureNotice error={prove.error} focus />}
      {ways.includes('authenticator') && <CodeField value={text} onChange={setText} autoFocus />}
      {byPassword && (
        <PasswordInput
          data-autofocus
          label="Password"
          autoComplete="current-password"
          value={text}
          visibilityToggleButtonProps={{ 'aria-label': 'Show the password', tabIndex: 0 }}
          onChange={(event) => setText(event.currentTarget.value)}
        />
      )}
      <div className="dialog-actions">
        <Button variant="default" onClick={() => onDone(false)}>
          Cancel
        </Button>
        {hasPasskey && (
          <Button
            variant={typed ? 'default' : 'filled'}
            loading={prove.isPending && prove.variables === 'passkey'}
            onClick={() => prove.mutate('passkey')}
          >
            Use my passkey
          </Button>
        )}
        {typed && (
          <Button type="submit" loading={prove.isPending && prove.variables === 'text'}>
            Go on
          </Button>
        )}
      </div>
    </form>
  );
}
