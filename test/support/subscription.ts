/** A subscription that is accepted, to an address that nobody answers at. */
export const SUBSCRIPTION = {
  ...{ resourceType: 'Subscription', status: 'requested', reason: 'test', criteria: 'Patient?' },
  contact: [{ system: 'email', value: 'ops@example.org' }],
  channel: { type: 'rest-hook', endpoint: 'https://subscriber.example.org/hook', payload: 'application/fhir+json' },
};
