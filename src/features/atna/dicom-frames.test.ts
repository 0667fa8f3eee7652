import { describe, expect, test } from 'vitest';
import { nodeActor, operatorActor, userActor } from '../../../test/support/audit.ts';
import { createFrameReader, parseSyslog } from '../../platform/syslog/index.ts';
import { createEventWriter } from '../audit/audit-event.ts';
import { type AuditEventName, type AuditInput, EVENTS, type PackedEvent, unpackEvent } from '../audit/index.ts';
import { createDicomFrames } from './dicom-frames.ts';
import { printDicom } from './dicom-print.ts';
import type { FhirAuditEvent } from './fhir-audit-event.ts';

const SITE = 'careseal.example.org';
const write = createEventWriter({ site: SITE, baseUrl: 'https://careseal.example.org:8443' });
const id = (i: number): string => `0198f3a0-0000-7000-8000-${String(i).padStart(12, '0')}`;

function eventOf(i: number, input: AuditInput, patient?: string): { recordedMs: number; content: PackedEvent } {
  const recordedMs = Date.UTC(2026, 0, 31, 9, 30, 0, i);
  const recorded = new Date(recordedMs).toISOString();
  return { recordedMs, content: write({ id: id(i), recorded, input, shape: EVENTS[input.event], patient }) };
}

/** The frames, taken apart by octet count. */
function bodies(frames: Buffer): string[] {
  const messages = createFrameReader(1_048_576).push(frames);
  return messages.map((message) => Buffer.from(parseSyslog(message)?.body ?? []).toString());
}

const plain = ({ content }: { content: PackedEvent }): string =>
  printDicom(JSON.parse(unpackEvent(content)) as FhirAuditEvent);

describe('frames made from a template', () => {
  const actors = [nodeActor, userActor, operatorActor];
  const outcomes = ['success', 'minor-failure'] as const;
  const inputs = (Object.keys(EVENTS) as AuditEventName[]).flatMap((event, n): AuditInput[] =>
    outcomes.map((outcome) => ({
      actor: actors[n % actors.length] ?? nodeActor,
      event,
      action: 'E',
      outcome,
      reason: 'because of é漢',
      entities: [{ reference: `Review/${id(9)}`, role: 'report' }, { reference: 'plain words' }],
    })),
  );

  test('say of every kind of event what the printer says, the first time and ever after', () => {
    const printed = createDicomFrames(SITE);
    for (const input of inputs) {
      const events = [1, 2, 3, 4].map((i) => eventOf(i, input, `Patient/${id(i + 100)}`));
      expect(bodies(printed.frames(events)), input.event).toEqual(events.map(plain));
      expect(bodies(printed.frames(events)), input.event).toEqual(events.map(plain));
    }
  });

  test('are not made where an id is told in another way than as it is', () => {
    const printed = createDicomFrames(SITE);
    const events = [1, 2, 3, 4].map((i) =>
      eventOf(i, {
        ...{ actor: userActor, event: 'client.search', action: 'E', outcome: 'success' },
        // Details are in base64: no hole could be cut for the id in it.
        detail: { of: id(i), since: '2026-01-31T09:30:00.000Z' },
        query: `GET /fhir/Patient?_id=${id(i)}`,
      }),
    );
    expect(bodies(printed.frames(events))).toEqual(events.map(plain));
    expect(bodies(printed.frames(events))).toEqual(events.map(plain));
  });

  test('have the time of the event in their header', () => {
    const printed = createDicomFrames(SITE);
    const input: AuditInput = { actor: nodeActor, event: 'client.read', action: 'R', outcome: 'success' };
    const events = [1, 2, 3].map((i) => eventOf(i, input));
    const messages = createFrameReader(100_000).push(printed.frames(events));
    expect(messages.map((message) => parseSyslog(message)?.timestampMs)).toEqual(events.map((one) => one.recordedMs));
    expect(messages.map((message) => message.toString())).toEqual(
      events.map((event) => printed.message(event).toString()),
    );
  });
});
