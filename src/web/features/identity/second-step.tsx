import { Button, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { RecoveryCode, SignInCodeAnswer } from '../../../features/identity/wire.ts';
import { api } from '../../app/api.ts';
import { asFailure } from '../../app/failure.ts';
import { takePlace } from '../../app/place.ts';
import { sessionQuery } from '../../app/session.tsx';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { CodeField, isCode } from './code-field.tsx';

const WRONG_SHAPE = {
  code: 'Six digits are needed.',
  recovery: 'A recovery code looks like 7K2M-…, 16 letters and digits.',
} as const;

/** Second step: the app's code, or one of the recovery codes when the telephone is lost. */
export function SecondStep({ onStartAgain }: { readonly onStartAgain: () => void }): ReactNode {
  const [way, setWay] = useState<'code' | 'recovery'>('code');
  const [text, setText] = useState('');
  const [error, setError] = useState<string>();
  const [codesLeft, setCodesLeft] = useState<number>();
  const goOn = useGoOn();
  const confirm = useMutation({
    mutationFn: () =>
      api.send(
        'POST',
        '/api/sign-in/code',
        SignInCodeAnswer,
        way === 'code' ? { code: text } : { recoveryCode: text },
        {
          signingIn: true,
        },
      ),
    onSuccess: async (answer) => {
      if (answer.recoveryCodesLeft === undefined) await goOn();
      else setCodesLeft(answer.recoveryCodesLeft);
    },
    onError: () => setText(''),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const fits = way === 'code' ? isCode(text) : RecoveryCode.safeParse(text).success;
    setError(fits ? undefined : WRONG_SHAPE[way]);
    if (fits) confirm.mutate();
  };
  const turn = (): void => {
    setWay(way === 'code' ? 'recovery' : 'code');
    setText('');
    setError(undefined);
    confirm.reset();
  };
  if (codesLeft !== undefined) return <RecoveryUsed left={codesLeft} onGoOn={() => void goOn()} />;
  const expired = confirm.isError && asFailure(confirm.error).code === 'sign-in-expired';
  return (
    <form onSubmit={submit} noValidate>
      {confirm.isError && <FailureNotice error={confirm.error} focus />}
      <ProofField way={way} text={text} error={error} onChange={setText} />
      {expired ? (
        <Button size="md" fullWidth onClick={onStartAgain}>
          Start again with the password
        </Button>
      ) : (
        <Button type="submit" size="md" fullWidth loading={confirm.isPending}>
          Sign in
        </Button>
      )}
      <div className="gate-ways">
        <button type="button" className="link-button" onClick={turn}>
          {way === 'code' ? 'I do not have my telephone: use a recovery code' : 'Use the code from my app'}
        </button>
        <button type="button" className="link-button" onClick={onStartAgain}>
          Not me: start again
        </button>
      </div>
    </form>
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
  return (
    <TextInput
      label="Recovery code"
      description="One of the ten you stored when you started. Each works once."
      size="md"
      autoFocus
      autoComplete="off"
      spellCheck={false}
      value={text}
      error={error}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

function useGoOn(): () => Promise<void> {
  const queries = useQueryClient();
  const router = useRouter();
  return async () => {
    await queries.fetchQuery({ ...sessionQuery, staleTime: 0 });
    await router.navigate({ href: takePlace(), replace: true });
  };
}

function RecoveryUsed({ left, onGoOn }: { readonly left: number; readonly onGoOn: () => void }): ReactNode {
  return (
    <div className="gate-body">
      <Notice tone={left <= 3 ? 'amber' : 'done'} title="You are signed in" live>
        <p>That recovery code is used up. {left === 1 ? 'One is' : `${left} are`} left.</p>
        <p>If your telephone is gone for good, ask an administrator to reset your second factor.</p>
      </Notice>
      <Button size="md" onClick={onGoOn} autoFocus>
        Go on
      </Button>
    </div>
  );
}
