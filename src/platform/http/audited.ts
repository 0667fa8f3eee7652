/**
 * A receipt says: an audit event was written for this request, in the transaction of the act or before data leaves.
 * A route that declares an audit event cannot answer without one; only features/audit may issue them (a wall rule).
 */
declare const receipt: unique symbol;
export interface AuditReceipt {
  readonly [receipt]: true;
}

/** What each receipt was given for. */
const issued = new WeakMap<object, readonly { readonly event: string }[]>();
const UNNAMED: readonly { readonly event: string }[] = [];

/** To be called by features/audit alone, after these events were written. */
export function issueAuditReceipt(written: readonly { readonly event: string }[] = UNNAMED): AuditReceipt {
  const made = Object.freeze({}) as AuditReceipt;
  issued.set(made, written);
  return made;
}

/** Names of the events a receipt was given for; empty for what is no receipt, or for one that does not say. */
export function receiptEvents(value: unknown): readonly string[] {
  const written = typeof value === 'object' && value !== null ? issued.get(value) : undefined;
  return (written ?? UNNAMED).map(({ event }) => event);
}

/**
 * True for the receipt of an event of this family (`client.update` for `client.create`): a conditional update may create, a sign-in ends
 * as one of several. Which event each route writes when all goes well, test/db/route-events.test.ts has.
 */
export function isReceiptFor(value: unknown, event: string): boolean {
  const written = typeof value === 'object' && value !== null ? issued.get(value) : undefined;
  const family = event.slice(0, event.indexOf('.') + 1);
  return written !== undefined && written.some((one) => one.event.startsWith(family));
}

export function isGenuineReceipt(value: unknown): value is AuditReceipt {
  return typeof value === 'object' && value !== null && issued.has(value);
}

const auditedRefusals = new WeakSet<object>();

/**
 * Marks a refusal whose audit event a feature has written already, with more than the door could know (whose account, which
 * factor), so that the door does not write a second one. Needs the event's receipt.
 */
export function markRefusalAudited<Refusal extends object>(refusal: Refusal, proof: AuditReceipt): Refusal {
  if (isGenuineReceipt(proof)) auditedRefusals.add(refusal);
  return refusal;
}

export function isRefusalAudited(refusal: object): boolean {
  return auditedRefusals.has(refusal);
}
