import { Switch, Textarea } from '@mantine/core';
import type { ReactNode } from 'react';
import './nodes.css';

export interface CertificateFieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly acceptLong: boolean;
  readonly onAcceptLong: (accept: boolean) => void;
  readonly error?: string | undefined;
}

/** A certificate that was made elsewhere, and whether one of many years is taken. */
export function CertificateField(props: CertificateFieldProps): ReactNode {
  return (
    <>
      <Textarea
        className="csr-text"
        label="Certificate (PEM)"
        description="Self-signed or of any authority. Only this one is trusted, not its issuer."
        placeholder="-----BEGIN CERTIFICATE-----"
        value={props.value}
        maxLength={32_768}
        onChange={(event) => props.onChange(event.currentTarget.value)}
        error={props.error}
        autosize
        minRows={5}
        maxRows={14}
        spellCheck={false}
      />
      <Switch
        label="Take one that is valid for more than two years"
        description="It is accepted for two years all the same."
        checked={props.acceptLong}
        onChange={(event) => props.onAcceptLong(event.currentTarget.checked)}
      />
    </>
  );
}
