import { z } from 'zod';

/**
 * The part of a FHIR R4 AuditEvent that audit repositories exchange. Ours and other systems' alike; what is not listed is kept
 * with the event and not looked into.
 */
const Coding = z.looseObject({
  system: z.string().optional(),
  code: z.string().optional(),
  display: z.string().optional(),
});
const Concept = z.looseObject({ coding: z.array(Coding).optional(), text: z.string().optional() });
const Identifier = z.looseObject({ system: z.string().optional(), value: z.string().optional() });
const Reference = z.looseObject({
  reference: z.string().optional(),
  identifier: Identifier.optional(),
  display: z.string().optional(),
});

export const FhirAuditEvent = z.looseObject({
  resourceType: z.literal('AuditEvent'),
  id: z.string().optional(),
  type: Coding,
  subtype: z.array(Coding).optional(),
  action: z.enum(['C', 'R', 'U', 'D', 'E']).optional(),
  recorded: z.iso.datetime({ offset: true }),
  outcome: z.enum(['0', '4', '8', '12']).optional(),
  outcomeDesc: z.string().optional(),
  purposeOfEvent: z.array(Concept).optional(),
  agent: z
    .array(
      z.looseObject({
        type: Concept.optional(),
        role: z.array(Concept).optional(),
        who: Reference.optional(),
        altId: z.string().optional(),
        name: z.string().optional(),
        requestor: z.boolean(),
        network: z.looseObject({ address: z.string().optional(), type: z.string().optional() }).optional(),
      }),
    )
    .min(1),
  source: z.looseObject({
    site: z.string().optional(),
    observer: Reference,
    type: z.array(Coding).optional(),
  }),
  entity: z
    .array(
      z.looseObject({
        what: Reference.optional(),
        type: Coding.optional(),
        role: Coding.optional(),
        name: z.string().optional(),
        description: z.string().optional(),
        query: z.string().optional(),
        detail: z
          .array(
            z.looseObject({
              type: z.string(),
              valueString: z.string().optional(),
              valueBase64Binary: z.string().optional(),
            }),
          )
          .optional(),
      }),
    )
    .optional(),
});
export type FhirAuditEvent = z.output<typeof FhirAuditEvent>;
export type FhirCoding = z.output<typeof Coding>;
export type FhirReference = z.output<typeof Reference>;

/** What a reference names: its literal, else its identifier, else its words. */
export function referenceText(reference: FhirReference | undefined): string {
  return reference?.reference ?? reference?.identifier?.value ?? reference?.display ?? '';
}
