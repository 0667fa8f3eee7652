import { PasswordInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type ReactNode, useId } from 'react';
import { PasswordCheckAnswer } from '../../../features/identity/wire.ts';
import { api } from '../../app/api.ts';
import { IconAlertTriangle, IconCheck } from '../../ui/icons.ts';

export interface NewPasswordProps {
  /** Default: Password. */
  readonly label?: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly lengthMin: number;
  /** The person's and organisation's own words, which a password must not be. */
  readonly words: readonly string[];
  readonly error?: string | undefined;
}

/** A new password with the server's reasons while typing. Length counts, not signs and capitals; paste works. */
export function NewPassword({
  label = 'Password',
  value,
  onChange,
  lengthMin,
  words,
  error,
}: NewPasswordProps): ReactNode {
  const reasonsId = useId();
  const [settled] = useDebouncedValue(value, 250);
  const check = useQuery({
    queryKey: ['password-check', settled.length, settled, words.join(' ')],
    queryFn: ({ signal }) =>
      api.send(
        'POST',
        '/api/password-check',
        PasswordCheckAnswer,
        { password: settled, words: words.filter((word) => word.trim() !== '') },
        { signal, signingIn: true },
      ),
    enabled: settled.length >= lengthMin,
    placeholderData: keepPreviousData,
    // A password is not kept in the page's cache.
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const short = [...value].length < lengthMin;
  const current = settled === value && !short;
  return (
    <div>
      <PasswordInput
        label={label}
        description={`At least ${lengthMin} characters. A sentence only you would say is better than signs and capitals.`}
        name="new-password"
        autoComplete="new-password"
        size="md"
        value={value}
        error={error}
        aria-describedby={reasonsId}
        visibilityToggleButtonProps={{ 'aria-label': 'Show the password', tabIndex: 0 }}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
      <ul className="reasons" id={reasonsId} aria-live="polite">
        {value !== '' && short && <Reason good={false} text={`${lengthMin - [...value].length} more characters`} />}
        {current && check.data?.ok && <Reason good text="Good: long enough and not on the list of common passwords" />}
        {current && check.data?.reasons.map((reason) => <Reason key={reason.code} good={false} text={reason.text} />)}
      </ul>
    </div>
  );
}

function Reason({ good, text }: { readonly good: boolean; readonly text: string }): ReactNode {
  return (
    <li data-good={good}>
      {good ? <IconCheck size={16} aria-hidden /> : <IconAlertTriangle size={16} aria-hidden />}
      {text}
    </li>
  );
}
