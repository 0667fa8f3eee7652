import { RULES } from '../../src/features/alerts/rules.ts';
import { RULE_NAMES } from '../../src/features/alerts/wire.ts';
import { ago, auditEvent, EVENTS } from './web-fixture-answers.ts';
import type { FixtureAnswer, FixtureRequest, FixtureState } from './web-fixture.ts';
import { idOf, indexOf } from './web-fixture-data.ts';

/** Made-up answers about the audit log for the fixture door: activity, reports, alerts, forwarding. */
type Handler = (state: FixtureState, request: FixtureRequest, parts: readonly string[]) => FixtureAnswer;

const HOUR_MS = 3_600_000;
const people = ['Dr. Amina Okello', 'Mulago clinic', 'Grace Namukasa', 'محمد عبد الرحمن', 'root'];
const actor = (index: number) =>
  ({
    kind: index === 1 ? 'node' : index === 4 ? 'operator' : 'user',
    id: idOf(9, index),
    name: people[index % people.length] ?? 'Somebody',
  }) as const;

const activity: Handler = (state, { query }) => {
  const from = Date.parse(query.get('from') ?? '');
  const to = Math.min(Date.parse(query.get('to') ?? ''), Date.now());
  const hours: { at: string; events: number; failures: number }[] = [];
  for (let at = from; state.clients > 0 && at < to; at += HOUR_MS) {
    const hour = new Date(at).getUTCHours();
    const events = hour < 6 || hour > 18 ? (hour === 2 ? 3 : 0) : Math.round(40 + 35 * Math.sin((at / HOUR_MS) * 0.7));
    if (events > 0) hours.push({ at: new Date(at).toISOString(), events, failures: Math.floor(events / 30) });
  }
  const sum = (name: 'events' | 'failures'): number => hours.reduce((all, one) => all + one[name], 0);
  return {
    body: {
      events: sum('events'),
      failures: sum('failures'),
      hours,
      kinds: EVENTS.map(([event, title], index) => ({ event, title, events: 4000 >> index, failures: index * 3 })),
      actors: people.map((_, index) => ({ actor: actor(index), events: 3000 >> index, failures: index })),
      behind: 12,
    },
  };
};

const alerts: Handler = (state, { query }) => {
  const closed = query.get('state') === 'closed';
  const shown = state.clients === 0 ? [] : RULE_NAMES.slice(0, closed ? 1 : 4);
  return {
    body: {
      open: 4,
      unacknowledged: state.clients === 0 ? 0 : 3,
      alerts: shown.map((rule, index) => ({
        id: idOf(21, index),
        rule,
        title: RULES[rule].title,
        what:
          [
            '112 different clients within 60 minutes',
            'The client bears the reader’s own surname',
            '7 looks at clients outside of hours',
            '25 refusals within 10 minutes',
          ][index] ?? '',
        actor: actor(index),
        address: '10.20.30.40',
        ...(rule === 'own-name' ? { client: idOf(1, 3) } : {}),
        eventId: idOf(10, index),
        raisedAt: ago(90 + index * 60),
        lastAt: ago(3 + index * 60),
        count: index + 1,
        ...(index === 1 || closed ? { acknowledged: { by: actor(0), at: ago(30), note: '' } } : {}),
        ...(closed ? { closed: { by: actor(0), at: ago(10), note: 'It was the yearly report' } } : {}),
      })),
    },
  };
};

const target = (index: number, part: object) => ({
  id: idOf(22, index),
  name: ['Ministry of Health', 'Security team', 'Old laboratory'][index],
  protocol: (['tls', 'fhir', 'udp'] as const)[index],
  host: ['audit.ministry.example', '10.1.2.3', 'lab.example'][index],
  port: [6514, 443, 514][index],
  path: index === 1 ? '/fhir' : '',
  authorities: '',
  filter: { events: index === 1 ? ['client.*'] : [], outcome: index === 1 ? 'failure' : 'all' },
  paused: false,
  createdAt: ago(60 * 24 * 40),
  waiting: 0,
  delivered: 48_211,
  skipped: 0,
  deliveredAt: ago(1),
  ...part,
});

const forwarding: Handler = (state) => ({
  body: {
    targets:
      state.nodes === 0
        ? []
        : [
            target(0, {}),
            target(1, { waiting: 1931, failingSince: ago(75), failure: 'certificate' }),
            target(2, { paused: true, waiting: 20, skipped: 2 }),
          ],
    identity: false,
  },
});

const receivedEvent = (index: number) => {
  const transport = (['tls', 'fhir', 'udp'] as const)[index % 3];
  const understood = index % 11 !== 5;
  return {
    id: idOf(24, index),
    recorded: ago(index * 7),
    receivedAt: ago(index * 7),
    transport,
    understood,
    altered: index === 7,
    ...(index === 7 || transport === 'udp' ? {} : { nodeId: idOf(9, 1) }),
    ...(understood && index !== 7
      ? {
          type: ['110110', '110112', 'rest', '110114'][index % 4],
          ...(index % 4 === 0 ? { title: 'Patient Record' } : {}),
          action: 'R',
          outcome: ['0', '0', '4', '0', '8'][index % 5],
          source: ['lab-system', 'مستشفى الرحمن', 'north-gateway.district.example'][index % 3],
          who: 'Nurse Ada',
        }
      : {}),
  };
};

const receivedList: Handler = (state, { body }) => {
  const asked = body as { person?: string };
  const events = state.nodes === 0 || asked.person !== undefined ? [] : Array.from({ length: 30 }, (_, index) => index);
  return { body: { takes: true, tlsPort: 6514, events: events.map(receivedEvent) } };
};

const receivedOne: Handler = (_state, _request, parts) => {
  const event = receivedEvent(indexOf(parts[3]));
  return {
    body: {
      event,
      ...(event.understood && !event.altered
        ? { auditEvent: { resourceType: 'AuditEvent', recorded: event.recorded } }
        : {}),
      ...(event.transport === 'fhir' || event.altered
        ? {}
        : {
            message: {
              ...{ address: '10.7.7.7', truncated: !event.understood, bytes: 1480 },
              text: '<85>1 2026-02-01T12:00:00Z lab lab 1 IHE+RFC-3881 - <AuditMessage>…</AuditMessage>',
            },
          }),
    },
  };
};

const rows: Handler = (state) => ({
  body: { rows: state.clients === 0 ? [] : Array.from({ length: 40 }, (_, index) => auditEvent(index)) },
});

const disclosures: Handler = (state) => ({
  body: {
    since: ago(60 * 24 * 365 * 6),
    more: false,
    rows:
      state.clients === 0
        ? []
        : [
            {
              id: idOf(23, 0),
              at: ago(50),
              way: 'system',
              to: 'Mulago clinic',
              what: 'Looked at the record',
              times: 3,
            },
            { id: idOf(23, 1), at: ago(5000), way: 'file', to: 'Grace Namukasa', what: 'Printed the record', times: 1 },
            {
              id: idOf(23, 2),
              at: ago(9000),
              way: 'recorded',
              to: 'Social services',
              what: 'Vaccination card',
              why: 'School',
              times: 1,
            },
          ],
  },
});

const ownView: Handler = (state) => ({
  body: {
    since: ago(60 * 24 * 365 * 6),
    more: false,
    rows:
      state.clients === 0
        ? []
        : [
            { day: '2026-03-01', who: 'Dr. Amina Okello', what: 'Looked at the record', why: 'Treatment', times: 2 },
            { day: '2026-02-27', who: 'The system “Mulago clinic”', what: 'Found the record in a search', times: 5 },
          ],
  },
});

const rules: Handler = () => ({
  body: {
    rules: RULE_NAMES.map((name) => ({ name, ...RULES[name] })),
    recipients: [idOf(9, 0)],
    people: [actor(0), actor(2), actor(3)].map(({ id, name }) => ({ id, name })),
    unknown: ['officer@clinic.example'],
    mail: true,
  },
});

const nothing: Handler = () => ({});

export const auditHandlers: readonly (readonly [string, RegExp, Handler])[] = [
  ['GET', /^\/api\/audit\/activity$/, activity],
  ['GET', /^\/api\/audit\/events\/[^/]+\/export$/, () => ({ body: { format: 'careseal-audit-event' } })],
  ['GET', /^\/api\/audit\/actors$/, () => ({ body: { actors: people.map((_, index) => actor(index)), more: false } })],
  [
    'GET',
    /^\/api\/audit\/organisations$/,
    () => ({ body: { organisations: [{ id: idOf(8, 0), name: 'Lakeside Health Programme' }] } }),
  ],
  [
    'GET',
    /^\/api\/audit\/searches$/,
    () => ({ body: { searches: [{ id: idOf(24, 0), name: 'Refused at night', filters: { outcome: 'failure' } }] } }),
  ],
  ['POST', /^\/api\/audit\/searches$/, nothing],
  ['POST', /^\/api\/audit\/report$/, rows],
  ['GET', /^\/api\/clients\/[^/]+\/accesses$/, rows],
  ['GET', /^\/api\/clients\/[^/]+\/disclosures$/, disclosures],
  ['POST', /^\/api\/clients\/[^/]+\/disclosures$/, () => ({ body: { recorded: true } })],
  ['POST', /^\/api\/clients\/[^/]+\/(copied|printed|saved)$/, nothing],
  ['GET', /^\/api\/clients\/[^/]+\/own-view$/, ownView],
  ['GET', /^\/api\/alerts$/, alerts],
  ['GET', /^\/api\/alerts\/rules$/, rules],
  ['PUT', /^\/api\/alerts\/rules\/[a-z-]+$/, nothing],
  ['POST', /^\/api\/alerts\/[^/]+\/(acknowledge|close)$/, nothing],
  ['POST', /^\/api\/audit\/received$/, receivedList],
  ['GET', /^\/api\/audit\/received\/[^/]+$/, receivedOne],
  ['GET', /^\/api\/forwarding$/, forwarding],
  ['POST', /^\/api\/forwarding$/, () => ({ body: { target: target(0, {}) } })],
];
