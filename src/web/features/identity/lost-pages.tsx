import { Button, PasswordInput, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { AccountAnswer, ConfirmAnswer, RecoveryCode } from '../../../features/identity/wire.ts';
import {
  FactorResetLinkAnswer,
  ForgotPasswordAnswer,
  ResetLinkAnswer,
} from '../../../features/identity/wire-factors.ts';
import { api } from '../../app/api.ts';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { Moment, Own } from '../../ui/text.tsx';
import { CodeField, isCode } from './code-field.tsx';
import { Gate } from './gate.tsx';
import { useLinkToken } from './link-token.ts';
import { NewPassword } from './new-password.tsx';
import { signWithPasskey, wasCancelled } from './passkey.ts';
import { RecoveryStep } from './recovery-step.tsx';
import { RecoveryField } from './second-step.tsx';
import { TotpPicture } from './totp-picture.tsx';

/** A forgotten password: asks for the address, and says the same whatever it was. */
export function ForgotPage(): ReactNode {
  const [email, setEmail] = useState('');
  const ask = useMutation({
    mutationFn: () =>
      api.send('POST', '/api/forgot-password', ForgotPasswordAnswer, { email: email.trim() }, { signingIn: true }),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (email.trim() !== '') ask.mutate();
  };
  return (
    <Gate title="Forgotten password" sentence="You get a link by e-mail. It opens nothing without your second factor.">
      {ask.isSuccess ? (
        <div className="gate-body">
          {ask.data.mail ? (
            <Notice tone="info" title="Look into your mailbox" live>
              <p>If there is an account with this address, a link is on its way. It works for one hour, once.</p>
              <p>Nothing comes? Look at the address again, or ask an administrator of your organisation.</p>
            </Notice>
          ) : (
            <Notice tone="amber" title="This server sends no e-mail" live>
              <p>Ask an administrator of your organisation: they start a reset and hand you a link in person.</p>
            </Notice>
          )}
          <BackToSignIn />
        </div>
      ) : (
        <form onSubmit={submit} noValidate>
          {ask.isError && <FailureNotice error={ask.error} focus />}
          <TextInput
            label="E-mail"
            name="email"
            type="email"
            autoComplete="username"
            size="md"
            autoFocus
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
          <Button type="submit" size="md" loading={ask.isPending} disabled={email.trim() === ''}>
            Send the link
          </Button>
          <BackToSignIn />
        </form>
      )}
    </Gate>
  );
}

/** Behind the link of the mail: a new password, and an enrolled factor. */
export function PasswordResetPage(): ReactNode {
  const token = useLinkToken();
  const link = useQuery({
    queryKey: ['password-reset', token],
    queryFn: ({ signal }) =>
      api.send('POST', '/api/password-reset/link', ResetLinkAnswer, { token }, { signal, signingIn: true }),
    enabled: token !== '',
    retry: false,
    gcTime: 0,
  });
  if (token === '' || link.isError) return <Dead />;
  if (!link.data) return <Gate title="Checking the link">{null}</Gate>;
  if (link.data.ways.length === 0) return <NoFactor />;
  return <ResetForm token={token} link={link.data} />;
}

type Way = ResetLinkAnswer['ways'][number];
const WAY_WORDS: Readonly<Record<Way, string>> = {
  authenticator: 'the code from my app',
  passkey: 'a passkey',
  'recovery-code': 'a recovery code',
};

function ResetForm({ token, link }: { readonly token: string; readonly link: ResetLinkAnswer }): ReactNode {
  const [password, setPassword] = useState('');
  const [way, setWay] = useState<Way>(link.ways[0] ?? 'recovery-code');
  const [text, setText] = useState('');
  const [error, setError] = useState<string>();
  const reset = useMutation({
    mutationFn: async () => {
      const proof =
        way === 'passkey'
          ? { credential: await signWithPasskey('/api/password-reset/options', { token }) }
          : way === 'authenticator'
            ? { code: text }
            : { recoveryCode: text };
      await api.act('POST', '/api/password-reset', { token, password, proof }, { signingIn: true });
    },
    onError: () => setText(''),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const fits = way === 'passkey' || (way === 'authenticator' ? isCode(text) : RecoveryCode.safeParse(text).success);
    setError(fits ? undefined : 'This does not look like one.');
    if (fits && password !== '') reset.mutate();
  };
  if (reset.isSuccess) return <ResetDone />;
  return (
    <Gate wide title="Choose a new password" sentence="With your second factor: the link alone is not enough.">
      <form onSubmit={submit} noValidate>
        {reset.isError && !wasCancelled(reset.error) && <FailureNotice error={reset.error} focus />}
        <p className="account-email">
          For <Own strong>{link.email}</Own>
          <input type="email" name="email" autoComplete="username" value={link.email} readOnly hidden />
        </p>
        <NewPassword
          value={password}
          onChange={setPassword}
          lengthMin={link.passwordLengthMin}
          words={[link.email]}
          error={undefined}
        />
        {link.ways.length > 1 && (
          <Select
            label="I prove that it is me with"
            allowDeselect={false}
            size="md"
            data={link.ways.map((value) => ({ value, label: WAY_WORDS[value] }))}
            value={way}
            onChange={(value) => setWay(link.ways.find((one) => one === value) ?? way)}
          />
        )}
        {way === 'authenticator' && <CodeField value={text} onChange={setText} error={error} />}
        {way === 'recovery-code' && <RecoveryField value={text} onChange={setText} error={error} />}
        <Button type="submit" size="md" loading={reset.isPending} disabled={password === ''}>
          {way === 'passkey' ? 'Use my passkey and change it' : 'Change the password'}
        </Button>
        <p className="account-expiry">
          This link works until <Moment iso={link.expiresAt} />, once.
        </p>
      </form>
    </Gate>
  );
}

function ResetDone(): ReactNode {
  return (
    <Gate title="Your password is changed" sentence="You were signed out everywhere. Sign in with the new password.">
      <div className="gate-body">
        <BackToSignIn />
      </div>
    </Gate>
  );
}

function NoFactor(): ReactNode {
  return (
    <Gate title="A second factor is needed">
      <div className="gate-body">
        <Notice tone="amber" title="Your account has none">
          <p>A link by e-mail alone changes no password. Ask an administrator of your organisation for a reset.</p>
        </Notice>
      </div>
    </Gate>
  );
}

/** Behind an administrator's link: the password, then another second factor. */
export function FactorResetPage(): ReactNode {
  const token = useLinkToken();
  const [totp, setTotp] = useState<AccountAnswer['totp']>();
  const [codes, setCodes] = useState<readonly string[]>();
  const link = useQuery({
    queryKey: ['factor-reset', token],
    queryFn: ({ signal }) =>
      api.send('POST', '/api/factor-reset/link', FactorResetLinkAnswer, { token }, { signal, signingIn: true }),
    enabled: token !== '',
    retry: false,
    gcTime: 0,
  });
  if (codes) {
    return (
      <Gate wide title="Store your recovery codes" sentence="The ones before do not work any more. Shown only now.">
        <RecoveryStep codes={codes} />
      </Gate>
    );
  }
  if (totp) {
    return (
      <Gate wide title="Connect your second factor" sentence="Scan it with your authenticator app.">
        <ConfirmFactor token={token} totp={totp} onDone={setCodes} />
      </Gate>
    );
  }
  if (token === '' || link.isError) return <Dead />;
  if (!link.data) return <Gate title="Checking the link">{null}</Gate>;
  return (
    <Gate title="Set up another second factor" sentence="Your password stays as it is; it is needed once more.">
      <OwnPassword token={token} email={link.data.email} onDone={setTotp} />
    </Gate>
  );
}

interface OwnPasswordProps {
  readonly token: string;
  readonly email: string;
  readonly onDone: (totp: AccountAnswer['totp']) => void;
}

function OwnPassword({ token, email, onDone }: OwnPasswordProps): ReactNode {
  const [password, setPassword] = useState('');
  const begin = useMutation({
    mutationFn: () =>
      api.send('POST', '/api/factor-reset/begin', AccountAnswer, { token, password }, { signingIn: true }),
    onSuccess: (answer) => onDone(answer.totp),
    onError: () => setPassword(''),
  });
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (password !== '') begin.mutate();
      }}
    >
      {begin.isError && <FailureNotice error={begin.error} focus />}
      <p className="account-email">
        For <Own strong>{email}</Own>
        <input type="email" name="email" autoComplete="username" value={email} readOnly hidden />
      </p>
      <PasswordInput
        label="Password"
        name="password"
        autoComplete="current-password"
        size="md"
        autoFocus
        value={password}
        visibilityToggleButtonProps={{ 'aria-label': 'Show the password', tabIndex: 0 }}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      <Button type="submit" size="md" loading={begin.isPending} disabled={password === ''}>
        Continue
      </Button>
    </form>
  );
}

interface ConfirmFactorProps {
  readonly token: string;
  readonly totp: AccountAnswer['totp'];
  readonly onDone: (codes: readonly string[]) => void;
}

function ConfirmFactor({ token, totp, onDone }: ConfirmFactorProps): ReactNode {
  const [code, setCode] = useState('');
  const confirm = useMutation({
    mutationFn: () =>
      api.send('POST', '/api/factor-reset/confirm', ConfirmAnswer, { token, code }, { signingIn: true }),
    onSuccess: (answer) => onDone(answer.recoveryCodes),
    onError: () => setCode(''),
  });
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (isCode(code)) confirm.mutate();
      }}
    >
      <TotpPicture totp={totp} />
      {confirm.isError && <FailureNotice error={confirm.error} focus />}
      <CodeField value={code} onChange={setCode} autoFocus />
      <Button type="submit" size="md" loading={confirm.isPending} disabled={!isCode(code)}>
        Confirm
      </Button>
    </form>
  );
}

function Dead(): ReactNode {
  return (
    <Gate title="This link does not work any more" sentence="It was used already, is too old, or was not copied whole.">
      <div className="gate-body">
        <BackToSignIn />
      </div>
    </Gate>
  );
}

function BackToSignIn(): ReactNode {
  return (
    <Button component={Link} to="/sign-in" variant="default">
      To the sign-in
    </Button>
  );
}
