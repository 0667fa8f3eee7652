import type { FhirAuditEvent, FhirCoding } from './fhir-audit-event.ts';

/** Which IHE transaction one of our events is: repositories look for these codes in EventTypeCode. */
const OWN = 'https://careseal.org/fhir/audit-event';
const iti = (code: string, display: string): FhirCoding => ({ system: 'IHE Transactions', code, display });
const PDQM = iti('ITI-78', 'Mobile Patient Demographics Query');
const FEED = iti('ITI-104', 'Patient Identity Feed FHIR');

const TRANSACTIONS: Readonly<Record<string, FhirCoding>> = {
  'client.search': PDQM,
  'client.read': PDQM,
  'client.match': iti('ITI-119', 'Patient Demographics Match'),
  'client.ihe-pix': iti('ITI-83', 'Mobile Patient Identifier Cross-reference Query'),
  'client.create': FEED,
  'client.update': FEED,
  'client.delete': FEED,
  'client.merge': FEED,
  'node.authenticate': iti('ITI-19', 'Authenticate Node'),
  'audit.list': iti('ITI-81', 'Retrieve ATNA Audit Event'),
  'audit.retrieve': iti('ITI-81', 'Retrieve ATNA Audit Event'),
};

export function transactionOf({ subtype }: FhirAuditEvent): FhirCoding | undefined {
  const own = subtype?.find(({ system }) => system === OWN)?.code;
  return own === undefined ? undefined : TRANSACTIONS[own];
}
