import type { SequencedEvent } from './event-feed.ts';
import { summarise } from './summary.ts';
import type { AuditEventSummary } from './wire.ts';

/** An event of the feed in the terms of the pages. Without its JSON only time, name, outcome and kind of actor are there. */
export function summariseEvent(event: SequencedEvent): AuditEventSummary {
  // A summary is made of these plain columns and the JSON; commitment and place, which a row has as well, are not looked at.
  return summarise(event as unknown as Parameters<typeof summarise>[0], event.json);
}
