import { Button, Textarea } from '@mantine/core';
import { type ReactNode, useRef } from 'react';
import { IconUpload } from '../../ui/icons.ts';
import './nodes.css';

const CSR_COMMAND =
  'openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout node.key -out node.csr -subj "/CN=node"';

export function isCsr(text: string): boolean {
  return text.includes('BEGIN CERTIFICATE REQUEST') || text.includes('BEGIN NEW CERTIFICATE REQUEST');
}

interface CsrFieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly error: boolean;
}

export function CsrField({ value, onChange, error }: CsrFieldProps): ReactNode {
  const input = useRef<HTMLInputElement>(null);
  const read = (file: File | undefined): void => {
    if (file && file.size <= 16_384) void file.text().then(onChange);
  };
  return (
    <div>
      <p className="csr-note" id="csr-note">
        On the system, this makes a key and a request:
      </p>
      <pre className="csr-command">{CSR_COMMAND}</pre>
      <Textarea
        className="csr-text"
        label="Certificate request (PEM)"
        placeholder="-----BEGIN CERTIFICATE REQUEST-----"
        value={value}
        maxLength={16_384}
        spellCheck={false}
        autosize
        minRows={5}
        maxRows={14}
        error={error ? 'Paste or choose a PEM file that begins with -----BEGIN CERTIFICATE REQUEST-----.' : undefined}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
      <Button
        mt={8}
        variant="default"
        size="xs"
        leftSection={<IconUpload size={16} aria-hidden />}
        onClick={() => input.current?.click()}
      >
        Choose a file
      </Button>
      <input
        ref={input}
        type="file"
        accept=".csr,.pem,.txt"
        className="visually-hidden"
        tabIndex={-1}
        aria-label="Certificate request file"
        onChange={(event) => read(event.currentTarget.files?.[0])}
      />
    </div>
  );
}
