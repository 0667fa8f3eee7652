import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDicom } from '../../src/features/atna/dicom-parse.ts';
import { printDicom } from '../../src/features/atna/dicom-print.ts';
import { FhirAuditEvent } from '../../src/features/atna/fhir-audit-event.ts';
import { createFrameReader, frame, FramingError, parseSyslog } from '../../src/platform/syslog/index.ts';

/** P51: whatever bytes come as audit messages are understood rightly or not at all, and hold no more memory than one message. */
const VALID = Buffer.from(
  `<85>1 2026-01-31T09:30:00Z h a - IHE+RFC-3881 [x y="z"] <AuditMessage><EventIdentification EventActionCode="R" EventDateTime="2026-01-31T09:30:00Z" EventOutcomeIndicator="0"><EventID csd-code="110110" codeSystemName="DCM"/></EventIdentification><ActiveParticipant UserID="é" UserIsRequestor="true"/><AuditSourceIdentification AuditSourceID="s"/></AuditMessage>`,
);

test('a message changed anywhere is an event of the right shape, or none', () => {
  const change = fc.tuple(fc.nat(VALID.length - 1), fc.uint8Array({ maxLength: 8 }), fc.nat(20));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      let bytes = VALID;
      for (const [at, put, cut] of changes)
        bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)]);
      const parsed = parseSyslog(bytes);
      const event = parsed === undefined ? undefined : parseDicom(parsed.body);
      if (event !== undefined) expect(FhirAuditEvent.safeParse(event).success).toBe(true);
    }),
    { numRuns: 3_000 },
  );
});

test('a stream of anything is taken apart or refused, and never held beyond one message', () => {
  const limit = 1_000;
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 40 }), (chunks) => {
      const reader = createFrameReader(limit);
      try {
        for (const chunk of chunks) {
          for (const message of reader.push(chunk)) expect(message.length).toBeLessThanOrEqual(limit);
          expect(reader.held).toBeLessThanOrEqual(limit + 400 + 16);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(FramingError);
      }
    }),
  );
});

test('text that means something to XML, syslog or frames comes out as the text it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
      const event = FhirAuditEvent.parse({
        resourceType: 'AuditEvent',
        type: { code: '110110' },
        recorded: '2026-01-31T09:30:00.000Z',
        agent: [{ requestor: true, name: text, who: { identifier: { value: 'u' } } }],
        source: { observer: { identifier: { value: 's' } } },
      });
      const [message] = createFrameReader(1_048_576).push(frame(Buffer.from(printDicom(event))));
      const back = parseDicom(message ?? Buffer.alloc(0));
      // What XML cannot write at all becomes U+FFFD.
      const written = text.toWellFormed().replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '\uFFFD');
      expect(back?.agent[0]?.name ?? '').toBe(written);
    }),
  );
});
