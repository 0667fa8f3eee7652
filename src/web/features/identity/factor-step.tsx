import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { type AccountAnswer, ConfirmAnswer } from '../../../features/identity/wire.ts';
import { api } from '../../app/api.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { CodeField, isCode } from './code-field.tsx';
import { useGoOn } from './go-on.ts';
import { TotpPicture } from './totp-picture.tsx';

export interface FactorStepProps {
  readonly kind: 'setup' | 'enrol';
  readonly token: string;
  readonly totp: AccountAnswer['totp'];
  /** The policy leaves it to the person. */
  readonly optional: boolean;
  readonly onDone: (recoveryCodes: readonly string[]) => void;
}

/** The QR code, the key for typing, and a right code before anything counts. */
export function FactorStep({ kind, token, totp, optional, onDone }: FactorStepProps): ReactNode {
  const [code, setCode] = useState('');
  const [error, setError] = useState<string>();
  const confirm = useMutation({
    mutationFn: () => api.send('POST', `/api/${kind}/confirm`, ConfirmAnswer, { token, code }, { signingIn: true }),
    onSuccess: (answer) => onDone(answer.recoveryCodes),
    onError: () => setCode(''),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setError(isCode(code) ? undefined : 'Six digits are needed.');
    if (isCode(code)) confirm.mutate();
  };
  return (
    <form onSubmit={submit} noValidate>
      <TotpPicture totp={totp} />
      {confirm.isError && (
        <FailureNotice
          error={confirm.error}
          focus
          todo="Wait for the next code and type it. If none works, set the telephone’s clock to automatic."
        />
      )}
      <CodeField value={code} onChange={setCode} error={error} autoFocus />
      <Button type="submit" size="md" loading={confirm.isPending}>
        Confirm the code
      </Button>
      {optional && <NotNow kind={kind} token={token} />}
    </form>
  );
}

/** Going on with the password alone, and what that means. */
function NotNow({ kind, token }: Pick<FactorStepProps, 'kind' | 'token'>): ReactNode {
  const goOn = useGoOn();
  const skip = useMutation({
    mutationFn: () => api.act('POST', `/api/${kind}/without-factor`, { token }, { signingIn: true }),
    onSuccess: goOn,
  });
  return (
    <>
      {skip.isError && <FailureNotice error={skip.error} focus />}
      <p className="soft" id="not-now">
        You may go on without one. Then your password alone opens your account: whoever learns it can do what you can.
        You can connect a second factor later, under your name.
      </p>
      <Button
        variant="default"
        size="md"
        aria-describedby="not-now"
        loading={skip.isPending}
        onClick={() => skip.mutate()}
      >
        Not now
      </Button>
    </>
  );
}
