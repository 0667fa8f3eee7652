import { Button, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import {
  AccountAnswer,
  EmailAddress,
  type LinkAnswer,
  OrganisationName,
  PersonName,
} from '../../../features/identity/wire.ts';
import { api } from '../../app/api.ts';
import { asFailure } from '../../app/failure.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { Moment, Own } from '../../ui/text.tsx';
import { useGoOn } from './go-on.ts';
import { NewPassword } from './new-password.tsx';

export interface AccountStepProps {
  readonly kind: 'setup' | 'enrol';
  readonly token: string;
  readonly link: LinkAnswer;
  readonly onDone: (totp: AccountAnswer['totp']) => void;
}

type Field = 'organisation' | 'name' | 'email' | 'password';
type Values = Readonly<Record<Field, string>>;

function errorsOf(values: Values, kind: 'setup' | 'enrol', lengthMin: number): Partial<Record<Field, string>> {
  const setup = kind === 'setup';
  return {
    ...(setup && !OrganisationName.safeParse(values.organisation).success
      ? { organisation: 'Type the name of your organisation or programme.' }
      : {}),
    ...(PersonName.safeParse(values.name).success ? {} : { name: 'Type your name.' }),
    ...(setup && !EmailAddress.safeParse(values.email).success
      ? { email: 'Type an e-mail address like name@example.org.' }
      : {}),
    ...([...values.password].length < lengthMin ? { password: `At least ${lengthMin} characters are needed.` } : {}),
  };
}

/** Who one is, and a password. */
export function AccountStep({ kind, token, link, onDone }: AccountStepProps): ReactNode {
  const [values, setValues] = useState<Values>({
    organisation: link.organisation ?? '',
    name: link.name ?? '',
    email: link.email ?? '',
    password: '',
  });
  const [errors, setErrors] = useState<Partial<Record<Field, string>>>({});
  const set = (field: Field) => (value: string) => setValues((before) => ({ ...before, [field]: value }));
  const { organisation, name, email, password } = values;
  const goOn = useGoOn();
  const create = useMutation({
    mutationFn: async () => {
      const made = await api.send(
        'POST',
        `/api/${kind}/account`,
        AccountAnswer,
        kind === 'setup' ? { token, organisation, name, email, password } : { token, name, password },
        { signingIn: true },
      );
      if (link.secondFactor !== 'off') return made.totp;
      try {
        await api.act('POST', `/api/${kind}/without-factor`, { token }, { signingIn: true });
      } catch (error) {
        // The policy has become stricter meanwhile: on to the second factor, as for everybody else.
        if (asFailure(error).code === 'factor-required') return made.totp;
        throw error;
      }
      await goOn();
      return undefined;
    },
    onSuccess: (totp) => totp && onDone(totp),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const found = errorsOf(values, kind, link.passwordLengthMin);
    setErrors(found);
    if (Object.keys(found).length === 0) create.mutate();
  };
  return (
    <form onSubmit={submit} noValidate>
      {create.isError && <FailureNotice error={create.error} focus />}
      <WhoFields kind={kind} values={values} errors={errors} onSet={set} />
      <NewPassword
        value={password}
        onChange={set('password')}
        lengthMin={link.passwordLengthMin}
        words={[organisation, name, email]}
        error={errors.password}
      />
      <Button type="submit" size="md" loading={create.isPending}>
        Continue
      </Button>
      <p className="account-expiry">
        This link works until <Moment iso={link.expiresAt} />, once.
      </p>
    </form>
  );
}

interface WhoFieldsProps {
  readonly kind: 'setup' | 'enrol';
  readonly values: Values;
  readonly errors: Partial<Record<Field, string>>;
  readonly onSet: (field: Field) => (value: string) => void;
}

function WhoFields({ kind, values, errors, onSet }: WhoFieldsProps): ReactNode {
  return (
    <>
      {kind === 'setup' && (
        <TextInput
          label="Organisation"
          description="As it shall stand at the top of every page."
          name="organisation"
          autoComplete="organization"
          size="md"
          maxLength={160}
          autoFocus
          value={values.organisation}
          error={errors.organisation}
          onChange={(event) => onSet('organisation')(event.currentTarget.value)}
        />
      )}
      <TextInput
        label="Your name"
        description="Stands beside everything you do in the audit log."
        name="name"
        autoComplete="name"
        size="md"
        maxLength={120}
        autoFocus={kind === 'enrol'}
        value={values.name}
        error={errors.name}
        onChange={(event) => onSet('name')(event.currentTarget.value)}
      />
      {kind === 'setup' ? (
        <TextInput
          label="E-mail"
          description="You sign in with it, and are told there of changes to your sign-in."
          name="email"
          type="email"
          autoComplete="username"
          size="md"
          maxLength={254}
          value={values.email}
          error={errors.email}
          onChange={(event) => onSet('email')(event.currentTarget.value)}
        />
      ) : (
        <p className="account-email">
          You sign in with <Own strong>{values.email}</Own>
          {/* Password managers learn the account's name from a field. */}
          <input type="email" name="email" autoComplete="username" value={values.email} readOnly hidden />
        </p>
      )}
    </>
  );
}
