import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nodeActor, userActor } from '../../../test/support/audit.ts';
import { readXml } from '../../fhir/index.ts';
import { createEventWriter } from '../audit/audit-event.ts';
import { EVENTS } from '../audit/index.ts';
import type { AuditInput } from '../audit/index.ts';
import { unpack } from '../audit/packing.ts';
import { parseDicom } from './dicom-parse.ts';
import { printDicom } from './dicom-print.ts';
import { FhirAuditEvent } from './fhir-audit-event.ts';

const write = createEventWriter({ site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' });

function fhirOf(input: AuditInput, patient?: string): FhirAuditEvent {
  const id = '0198f3a0-0000-7000-8000-000000000005';
  const recorded = '2026-01-31T09:30:00.000Z';
  const { before, own, after } = write({ id, recorded, input, shape: EVENTS[input.event], patient });
  return FhirAuditEvent.parse(JSON.parse(unpack(before + own + after)));
}
const SEARCH: AuditInput = {
  actor: userActor,
  event: 'client.search',
  action: 'E',
  outcome: 'success',
  query: 'GET /fhir/Patient?family=Müller&given="Z"',
  reason: 'TREAT',
};

describe('printed', () => {
  test('a search is a Query event with its IHE transaction, its parameters and each participant', () => {
    const xml = printDicom(fhirOf(SEARCH, 'Patient/0198f3a0-0000-7000-8000-0000000000c1'));
    const root = readXml(Buffer.from(xml), { depthMax: 5, elementsMax: 100 });
    expect(root?.name).toBe('AuditMessage');
    const [identification, ...rest] = root?.children ?? [];
    expect(identification?.attributes).toEqual({
      EventActionCode: 'E',
      EventDateTime: '2026-01-31T09:30:00.000Z',
      EventOutcomeIndicator: '0',
    });
    expect(identification?.children.map(({ name, attributes }) => `${name} ${attributes['csd-code']}`)).toEqual([
      'EventID 110112',
      'EventTypeCode ITI-78',
      'EventTypeCode search-type',
      'EventTypeCode client.search',
      'PurposeOfUse text',
    ]);
    expect(rest.map(({ name }) => name)).toEqual([
      ...Array<string>(3).fill('ActiveParticipant'),
      'AuditSourceIdentification',
      ...Array<string>(3).fill('ParticipantObjectIdentification'),
    ]);
    const person = rest[2]?.attributes;
    expect(person).toMatchObject({ UserName: 'Zoë "Z" Müller', UserIsRequestor: 'true' });
    const patient = rest[4];
    expect(patient?.attributes).toMatchObject({
      ParticipantObjectID: 'Patient/0198f3a0-0000-7000-8000-0000000000c1',
      ParticipantObjectTypeCode: '1',
      ParticipantObjectTypeCodeRole: '1',
    });
    const query = rest[5]?.children.find(({ name }) => name === 'ParticipantObjectQuery')?.text ?? '';
    expect(Buffer.from(query, 'base64').toString()).toBe(SEARCH.query);
  });

  test('every event there is comes back with who, what, when, whether it succeeded and whom it was about', () => {
    for (const event of Object.keys(EVENTS) as AuditInput['event'][]) {
      for (const actor of [userActor, nodeActor]) {
        const input: AuditInput = {
          actor,
          event,
          action: 'R',
          outcome: 'minor-failure',
          reason: 'because',
          patients: [],
        };
        const sent = fhirOf(input, 'Patient/x');
        const back = parseDicom(Buffer.from(printDicom(sent)));
        expect(back).toMatchObject({ action: 'R', outcome: '4', outcomeDesc: 'because', recorded: sent.recorded });
        expect(back?.subtype?.at(-1)?.code).toBe(event);
        expect(back?.agent.map(({ requestor, name }) => [requestor, name])).toEqual(
          sent.agent.map(({ requestor, name, who }) => [requestor, name ?? who?.display]),
        );
        expect(back?.entity?.[0]?.what?.identifier?.value).toBe('Patient/x');
      }
    }
  });

  test('whatever text is in an event, the XML is well-formed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (reason, query) => {
        const xml = printDicom(fhirOf({ ...SEARCH, reason, query, detail: { why: reason } }, 'Patient/x'));
        expect(readXml(Buffer.from(xml), { depthMax: 5, elementsMax: 100 })).toBeDefined();
      }),
    );
  });
});

describe('read', () => {
  const MESSAGE = `<?xml version="1.0"?><AuditMessage><EventIdentification EventActionCode="E" EventDateTime="2026-01-31T10:30:00+01:00" EventOutcomeIndicator="0">
    <EventID code="110112" codeSystemName="DCM" displayName="Query"/><EventTypeCode code="ITI-9" codeSystemName="IHE Transactions" displayName="PIX Query"/></EventIdentification>
    <ActiveParticipant UserID="lab|app" UserIsRequestor="true" NetworkAccessPointID="10.0.0.7" NetworkAccessPointTypeCode="2"><RoleIDCode code="110153" codeSystemName="DCM" displayName="Source"/></ActiveParticipant>
    <AuditSourceIdentification AuditSourceID="lab"/>
    <ParticipantObjectIdentification ParticipantObjectID="123^^^&amp;1.2.3&amp;ISO" ParticipantObjectTypeCode="1" ParticipantObjectTypeCodeRole="1"><ParticipantObjectIDTypeCode code="2" codeSystemName="RFC-3881"/></ParticipantObjectIdentification></AuditMessage>`;

  test('the older form of RFC 3881 as well', () => {
    expect(parseDicom(Buffer.from(MESSAGE))).toMatchObject({
      recorded: '2026-01-31T09:30:00.000Z',
      type: { system: 'http://dicom.nema.org/resources/ontology/DCM', code: '110112', display: 'Query' },
      agent: [{ who: { identifier: { value: 'lab|app' } }, network: { address: '10.0.0.7', type: '2' } }],
      entity: [{ what: { identifier: { value: '123^^^&1.2.3&ISO' } } }],
    });
  });

  const entity = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY y "&x;&x;">]>';
  test.each([
    ['a DOCTYPE', MESSAGE.replace('<AuditMessage>', `${entity}<AuditMessage>`)],
    ['an unknown entity', MESSAGE.replace('lab|app', '&x;')],
    ['endless nesting', `${'<a>'.repeat(100_000)}`],
    ['another root', '<Other/>'],
    ['no participant', MESSAGE.replaceAll(/<ActiveParticipant.*<\/ActiveParticipant>/g, '')],
    ['a date that is none', MESSAGE.replace('2026-01-31T10:30:00+01:00', 'yesterday')],
    ['another encoding', MESSAGE.replace('version="1.0"', 'version="1.0" encoding="UTF-16"')],
    ['half of it missing', MESSAGE.slice(0, 700)],
    ['too many elements', MESSAGE.replace('</AuditMessage>', `${'<x/>'.repeat(30_000)}</AuditMessage>`)],
  ])('not with %s', (_name, xml) => {
    expect(parseDicom(Buffer.from(xml))).toBeUndefined();
  });

  test('not when the bytes are no UTF-8', () => {
    expect(parseDicom(Buffer.from(MESSAGE.replace('lab', 'läb'), 'latin1'))).toBeUndefined();
  });
});
