import { TextInput } from '@mantine/core';
import type { ReactNode } from 'react';

export interface CodeFieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly error?: string | undefined;
  readonly label?: string;
  readonly description?: string;
  readonly autoFocus?: boolean;
}

/** Six digits from the authenticator app. One plain field: paste, password managers and `one-time-code` work. */
export function CodeField(props: CodeFieldProps): ReactNode {
  return (
    <TextInput
      className="code-field"
      label={props.label ?? 'Code from your authenticator app'}
      description={props.description ?? 'Six digits; they change every 30 seconds.'}
      name="one-time-code"
      inputMode="numeric"
      autoComplete="one-time-code"
      size="md"
      maxLength={9}
      value={props.value}
      autoFocus={props.autoFocus ?? false}
      error={props.error}
      onChange={(event) => props.onChange(event.currentTarget.value.replaceAll(/[^\d ]/g, ''))}
    />
  );
}

export function isCode(text: string): boolean {
  return /^\d{6}$/.test(text.replaceAll(' ', ''));
}
