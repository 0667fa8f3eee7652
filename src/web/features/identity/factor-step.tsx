import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { type AccountAnswer, ConfirmAnswer } from '../../../features/identity/wire.ts';
import { api } from '../../app/api.ts';
import { Exact } from '../../ui/bits.tsx';
import { FailureNotice } from '../../ui/notice.tsx';
import { CodeField, isCode } from './code-field.tsx';

export interface FactorStepProps {
  readonly kind: 'setup' | 'enrol';
  readonly token: string;
  readonly totp: AccountAnswer['totp'];
  readonly onDone: (recoveryCodes: readonly string[]) => void;
}

/** The QR code, the key for typing, and a right code before anything counts. */
export function FactorStep({ kind, token, totp, onDone }: FactorStepProps): ReactNode {
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
      {/* As an image, never as markup: the policy forbids putting text into the page as HTML. */}
      <div className="totp">
        <img
          src={`data:image/svg+xml,${encodeURIComponent(totp.qrSvg)}`}
          alt="QR code for the authenticator app; the same key stands beside it to be typed"
        />
        <ol>
          <li>
            Open an authenticator app: Aegis, FreeOTP, Google or Microsoft Authenticator, or your password manager.
          </li>
          <li>Scan the picture, or type this key:</li>
          <li>Type the six digits it shows.</li>
        </ol>
      </div>
      <Exact text={totp.key} what="the key" />
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
    </form>
  );
}
