/** What is sent: a PMIR feed message for `message` channels, the resource itself for `rest-hook`. Pure. */
import type { Bundle, BundleEntry, MessageHeader, Patient } from '@medplum/fhirtypes';
import { printResource } from '../../fhir/index.ts';

export interface Change {
  readonly goldenId: string;
  readonly version: number;
  /** The record as it is now; undefined: deleted. */
  readonly patient: Patient | undefined;
}

const PATIENT_FEED = 'urn:ihe:iti:pmir:2019:patient-feed';

export interface MessageFrame {
  readonly messageId: string;
  readonly base: string;
  readonly endpoint: string;
}

/** ITI-93 from the registry to its consumers: one message for any number of changes. */
export function feedMessage(changes: readonly Change[], { messageId, base, endpoint }: MessageFrame): Bundle {
  const header: MessageHeader = {
    resourceType: 'MessageHeader',
    id: messageId,
    eventUri: PATIENT_FEED,
    destination: [{ endpoint }],
    source: { name: 'Careseal', endpoint: base },
    focus: [{ reference: `urn:uuid:${messageId}-history` }],
  };
  const history: Bundle = {
    resourceType: 'Bundle',
    type: 'history',
    entry: changes.map((change) => historyEntry(change, base)),
  };
  return {
    resourceType: 'Bundle',
    type: 'message',
    entry: [
      { fullUrl: `urn:uuid:${messageId}`, resource: header },
      { fullUrl: `urn:uuid:${messageId}-history`, resource: history },
    ],
  };
}

function historyEntry({ goldenId, version, patient }: Change, base: string): BundleEntry {
  const fullUrl = `${base}/Patient/${goldenId}`;
  if (patient === undefined)
    return { fullUrl, request: { method: 'DELETE', url: `Patient/${goldenId}` }, response: { status: '204' } };
  const created = version === 1;
  return {
    fullUrl,
    resource: patient,
    request: { method: created ? 'POST' : 'PUT', url: created ? 'Patient' : `Patient/${goldenId}` },
    response: { status: created ? '201' : '200', etag: `W/"${version}"` },
  };
}

export interface HookRequest {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly body?: Uint8Array;
}

/** R4 §3.2.3: with a payload an update of the resource at the endpoint; without one an empty POST that only says "look". */
export function hookRequest(change: Change, endpoint: string, format: 'json' | 'xml' | undefined): HookRequest {
  if (format === undefined) return { method: 'POST', url: endpoint };
  const url = `${endpoint.replace(/\/+$/, '')}/Patient/${change.goldenId}`;
  if (change.patient === undefined) return { method: 'DELETE', url };
  return { method: 'PUT', url, body: printResource(change.patient, { format, pretty: false }) };
}
