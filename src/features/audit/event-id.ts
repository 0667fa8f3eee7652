import { type AuditEventId, uuidV7 } from '../../kernel/ids.ts';

const LAST = new Uint8Array(10).fill(0xff);

/** Time in an event's id (UUIDv7), Unix ms. */
export function idTimeMs(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** The greatest id an event of this millisecond can have. */
export function newestIdAt(unixMs: number): AuditEventId {
  return uuidV7<AuditEventId>(Math.max(0, unixMs), LAST);
}
