import { canonicalJsonBytes } from '../kernel/canonical-json.ts';
import { concatBytes, equalBytes, fromBase64 } from '../kernel/bytes.ts';
import { type Leaf, NONCE_BYTES, parseLeaf } from './leaf.ts';
import { HASH_BYTES } from './merkle.ts';

/** Format of an event that was exported with its proof; formats/audit-tree.md §8. */
export const EXPORT_FORMAT = 'careseal-audit-event/1';

export interface ExportedEvent {
  /** FHIR R4 AuditEvent. */
  readonly auditEvent: Readonly<Record<string, unknown>>;
  readonly leaf: Leaf;
  readonly leafBytes: Uint8Array;
  readonly nonce: Uint8Array;
  readonly path: readonly Uint8Array[];
  /** Signed note, perhaps with lines of witnesses. */
  readonly checkpoint: string;
  /** As the exporting server says; whether it is the log's, only somebody else can tell. */
  readonly verifierKey: string;
}

/** Undefined unless the document has the shape of an export. Says nothing about what it claims. */
export function parseExportedEvent(document: unknown): ExportedEvent | undefined {
  if (!isObject(document) || document['format'] !== EXPORT_FORMAT) return undefined;
  const { auditEvent, proof, verifierKey } = document;
  if (!isObject(auditEvent) || !isObject(proof) || typeof verifierKey !== 'string') return undefined;
  const { leaf, nonce, path, checkpoint } = proof;
  const leafBytes = bytesOf(leaf);
  const parsed = leafBytes === undefined ? undefined : parseLeaf(leafBytes);
  const nonceBytes = bytesOf(nonce);
  const hashes = Array.isArray(path) ? path.map(bytesOf) : undefined;
  if (leafBytes === undefined || parsed === undefined || nonceBytes?.length !== NONCE_BYTES) return undefined;
  if (typeof checkpoint !== 'string' || hashes === undefined) return undefined;
  if (!hashes.every((hash): hash is Uint8Array<ArrayBuffer> => hash?.length === HASH_BYTES)) return undefined;
  return { auditEvent, leaf: parsed, leafBytes, nonce: nonceBytes, path: hashes, checkpoint, verifierKey };
}

/** Whether the leaf is a commitment to exactly this event, its time and its name included. */
export function isCommittedTo(
  sha256: (bytes: Uint8Array) => Uint8Array,
  { auditEvent, nonce, leaf }: ExportedEvent,
): boolean {
  const commitment = sha256(concatBytes(nonce, canonicalJsonBytes(auditEvent)));
  return (
    equalBytes(commitment, leaf.commitment) &&
    recordedMs(auditEvent) === leaf.recordedMs &&
    nameOf(auditEvent) === leaf.event
  );
}

function recordedMs({ recorded }: Readonly<Record<string, unknown>>): number {
  return typeof recorded === 'string' ? Date.parse(recorded) : Number.NaN;
}

/** Code of the last subtype: the event's name (formats/audit-tree.md §2). */
function nameOf({ subtype }: Readonly<Record<string, unknown>>): unknown {
  const last: unknown = Array.isArray(subtype) ? subtype.at(-1) : undefined;
  return isObject(last) ? last['code'] : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bytesOf(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  const bytes = typeof value === 'string' ? fromBase64(value) : undefined;
  return bytes === undefined ? undefined : new Uint8Array(bytes);
}
