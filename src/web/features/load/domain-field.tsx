import { Autocomplete } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { domainSystemSchema } from '../../../features/nodes/wire.ts';
import { domainList } from './load-queries.ts';

export function isDomain(text: string): boolean {
  return domainSystemSchema.safeParse(text).success;
}

export interface DomainFieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly tried: boolean;
}

/** The assigning authority of the file's record numbers: one of the known ones, or a new one. */
export function DomainField({ value, onChange, tried }: DomainFieldProps): ReactNode {
  const domains = useQuery({ ...domainList, retry: false });
  // Domains that a node owns belong to that node's own records; a file may not write there.
  const known = (domains.data?.domains ?? [])
    .filter((domain) => domain.node === undefined)
    .map((domain) => domain.system);
  const wrong = value !== '' && !isDomain(value);
  return (
    <Autocomplete
      className="domain-field"
      label="Domain"
      description="Whose record numbers these are, as an address: urn:example:hospital-a. Two files with the same domain and number mean the same record."
      placeholder="urn:example:hospital-a"
      data={known}
      value={value}
      onChange={onChange}
      maxLength={255}
      spellCheck={false}
      autoComplete="off"
      error={
        (wrong && tried) || (tried && value === '')
          ? 'An address without blanks, for example urn:example:hospital-a.'
          : undefined
      }
    />
  );
}
