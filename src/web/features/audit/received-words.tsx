import type { ReactNode } from 'react';
import type { ReceivedEvent } from '../../../features/atna/wire-received.ts';
import { Tag } from '../../ui/bits.tsx';
import { IconAlertTriangle } from '../../ui/icons.ts';

/** Codes of DICOM and FHIR that audit events have as their kind. */
export const KINDS = [
  { value: '110100', label: 'Application started or stopped' },
  { value: '110101', label: 'Audit log used' },
  { value: '110106', label: 'Export' },
  { value: '110107', label: 'Import' },
  { value: '110110', label: 'Patient record' },
  { value: '110112', label: 'Query' },
  { value: '110113', label: 'Security alert' },
  { value: '110114', label: 'Signing in and out' },
  { value: 'rest', label: 'RESTful operation' },
] as const;

export const OUTCOMES = [
  { value: '0', label: 'done' },
  { value: '4', label: 'refused' },
  { value: '8', label: 'failed' },
  { value: '12', label: 'failed, out of service' },
] as const;

export const WAYS = {
  tls: 'syslog over TLS',
  udp: 'syslog over UDP',
  fhir: 'FHIR over HTTPS',
} as const;

/** What an event is, in the best words there are for it. */
export function titleOf({ understood, altered, erased, title, type }: ReceivedEvent): string {
  if (altered === true) return 'Changed afterwards';
  if (erased === true) return 'Erased';
  if (!understood) return 'Not understood';
  return title ?? KINDS.find(({ value }) => value === type)?.label ?? type ?? 'Without a kind';
}

export function Outcome({ event }: { readonly event: ReceivedEvent }): ReactNode {
  const word = OUTCOMES.find(({ value }) => value === event.outcome)?.label;
  if (word === undefined) return <span className="soft">—</span>;
  if (event.outcome === '0') return <span className="soft">{word}</span>;
  return (
    <Tag tone={event.outcome === '4' ? 'amber' : 'red'} icon={<IconAlertTriangle aria-hidden />}>
      {word}
    </Tag>
  );
}
