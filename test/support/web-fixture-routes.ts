import {
  ago,
  hash,
  load,
  uploadView,
  waitingUploads,
  previewRows,
  node,
  trust,
  callList,
  callFigures,
  deadDeliveries,
  oneDelivery,
  subscriberList,
  EVENTS,
  auditEvent,
  CHECKPOINT,
  proof,
} from './web-fixture-answers.ts';
import { auditHandlers } from './web-fixture-audit.ts';
import type { FixtureAnswer, FixtureRequest, FixtureState } from './web-fixture.ts';
import { session, user } from './web-fixture-session.ts';
import { identityRoutes } from './web-fixture-identity.ts';
import { MODEL_ROUTES } from './web-fixture-models.ts';
import { REVIEW_ROUTES } from './web-fixture-reviews.ts';
import { rightsRoutes } from './web-fixture-rights.ts';
import { NOW, clientDetail, clientOf, idOf, indexOf } from './web-fixture-data.ts';

const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 29 29"><rect width="29" height="29" fill="#fff"/><path d="M0 0h7v7H0zm22 0h7v7h-7zM0 22h7v7H0zM9 9h4v4H9zm6 2h5v3h-5zm-4 6h8v2h-8zm10 4h4v6h-4z"/></svg>';

type Handler = (state: FixtureState, request: FixtureRequest, parts: readonly string[]) => FixtureAnswer;

const search: Handler = (state, { body }) => {
  const { q = '', cursor, limit = 25 } = body as { q?: string; cursor?: string; limit?: number };
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const all = Array.from({ length: state.clients }, (_, index) => index).filter((index) => {
    const client = clientOf(index);
    const text =
      `${client.name} ${client.birthDate ?? ''} ${client.identifiers.map((one) => one.value).join(' ')}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const start = cursor === undefined ? 0 : Number(cursor);
  return {
    body: {
      clients: all.slice(start, start + limit).map(clientOf),
      ...(start + limit < all.length ? { next: String(start + limit) } : {}),
      total: all.length,
    },
  };
};

const auditEvents: Handler = (_state, { query }) => {
  const start = Number(query.get('cursor') ?? '0');
  const all = Array.from({ length: 300 }, (_, index) => auditEvent(index)).filter(
    (event) =>
      (query.get('outcome') === null || event.outcome !== 'success') &&
      (query.get('event') === null || event.event === query.get('event')) &&
      query.get('client') !== idOf(1, 99_999),
  );
  return {
    body: { events: all.slice(start, start + 100), ...(start + 100 < all.length ? { next: String(start + 100) } : {}) },
  };
};

const home: Handler = (state) => ({
  body: {
    attention: [
      ...(state.reviews > 0
        ? [
            {
              kind: 'reviews-open',
              level: 'amber',
              text: `${state.reviews} pairs of records are probably one person and waiting for a decision, the oldest for 9 days.`,
              count: state.reviews,
              href: '/reviews',
            },
          ]
        : []),
      ...(state.nodes > 1
        ? [
            {
              kind: 'node-expired',
              level: 'red',
              text: '1 system has no valid certificate any more and cannot connect.',
              href: '/nodes',
            },
          ]
        : []),
      ...(state.loads > 0
        ? [{ kind: 'load-running', level: 'info', text: '1 load is under way.', href: '/load' }]
        : []),
    ],
    figures: {
      clients: state.clients,
      sources: Math.round(state.clients * 1.24),
      reviewsOpen: state.reviews,
      oldestReviewAt: ago(60 * 24 * 9),
      nodes: state.nodes,
      users: state.clients === 0 ? 1 : 4,
      loads: state.loads,
    },
  },
});

const link = () => ({
  totp: { uri: 'otpauth://totp/Careseal', key: 'JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP', qrSvg: SVG },
});
const account = (body: unknown) => body as { password?: string };
const codes = Array.from({ length: 10 }, (_, index) => `7K2M-${index}QXT-4ZB9-PWC${index}`);
const invited = (state: FixtureState) => ({
  user: user(state, 2),
  link: 'https://careseal.example:8443/enrol#Q2FyZXNlYWxDYXJlc2VhbENhcmVzZWFsQ2FyZXNlYWw',
  expiresAt: ago(-60 * 24),
});

const ROUTES: readonly (readonly [string, RegExp, Handler])[] = [
  ['GET', /^\/api\/session$/, session],
  ['POST', /^\/api\/sign-out$/, (state) => ((state.signedIn = 'anonymous'), {})],
  [
    'POST',
    /^\/api\/sign-in\/password$/,
    (state, { body }) =>
      account(body).password === 'wrong'
        ? {
            status: 401,
            body: {
              status: 401,
              code: 'sign-in-refused',
              detail: 'E-mail or password is wrong, or the account is not active.',
            },
          }
        : ((state.signedIn = 'second-factor'),
          { body: { next: 'second-factor', ways: ['authenticator', 'passkey'], mayTrust: true } }),
  ],
  [
    'POST',
    /^\/api\/sign-in\/code$/,
    (state, { body }) => (
      (state.signedIn = 'signed-in'),
      { body: { state: 'signed-in', ...('recoveryCode' in (body as object) ? { recoveryCodesLeft: 3 } : {}) } }
    ),
  ],
  [
    'POST',
    /^\/api\/(setup|enrol)\/link$/,
    (_state, { path, body }) =>
      (body as { token: string }).token === 'dead'
        ? { status: 410, body: { status: 410, code: 'link-dead', detail: 'This link does not work.' } }
        : {
            body: {
              kind: path.split('/')[2],
              valid: true,
              ...(path.includes('enrol')
                ? { organisation: 'Lakeside Health Programme', email: 'grace@example.org', name: 'Grace Namukasa' }
                : {}),
              expiresAt: ago(-30),
              passwordLengthMin: 8,
              // The fixture's tokens say what its policy asks.
              secondFactor: /^(off|optional)/.exec((body as { token: string }).token)?.[0] ?? 'required',
            },
          },
  ],
  ['POST', /^\/api\/(setup|enrol)\/without-factor$/, (state) => ((state.signedIn = 'signed-in'), { status: 204 })],
  ['POST', /^\/api\/(setup|enrol)\/account$/, () => ({ body: link() })],
  [
    'POST',
    /^\/api\/(setup|enrol)\/confirm$/,
    (state) => ((state.signedIn = 'signed-in'), { body: { recoveryCodes: codes } }),
  ],
  [
    'POST',
    /^\/api\/password-check$/,
    (_state, { body }) => {
      const bad = (account(body).password ?? '').startsWith('password');
      return {
        body: {
          ok: !bad,
          reasons: bad ? [{ code: 'common', text: 'This password is on the list of the most common ones.' }] : [],
        },
      };
    },
  ],
  [
    'GET',
    /^\/api\/sessions$/,
    () => ({
      body: {
        sessions: [0, 1].map((index) => ({
          id: idOf(11, index),
          current: index === 0,
          startedAt: ago(50 + index * 900),
          lastSeenAt: ago(index * 700),
          address: '10.20.30.4',
          userAgent:
            index === 0
              ? 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/153.0.0.0 Safari/537.36'
              : 'Mozilla/5.0 (Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0',
        })),
      },
    }),
  ],
  ['DELETE', /^\/api\/sessions\/[^/]+$/, () => ({})],
  [
    'POST',
    /^\/api\/users\/search$/,
    (state) => {
      const count = state.clients === 0 ? 1 : 5;
      return { body: { users: Array.from({ length: count }, (_, index) => user(state, index)), total: count } };
    },
  ],
  ['GET', /^\/api\/users\/[^/]+$/, (state) => ({ body: { user: user(state, 1) } })],
  ['POST', /^\/api\/users$/, (state) => ({ body: invited(state) })],
  ['POST', /^\/api\/users\/[^/]+\/(reset|invite-again)$/, (state) => ({ body: invited(state) })],
  ['POST', /^\/api\/users\/[^/]+\/(enable|disable)$/, (state) => ({ body: { user: user(state, 1) } })],
  ['PUT', /^\/api\/users\/[^/]+\/roles$/, (state) => ({ body: { user: user(state, 1) } })],
  ['GET', /^\/api\/home$/, home],
  ['POST', /^\/api\/clients\/search$/, search],
  ['GET', /^\/api\/clients\/[^/]+$/, (_state, _request, [, , id]) => ({ body: clientDetail(indexOf(id)) })],
  ['POST', /^\/api\/clients\/[^/]+\/unlink$/, () => ({ body: { entryId: idOf(3, 1), newClientId: idOf(1, 77) } })],
  ['POST', /^\/api\/never-link$/, () => ({ body: { entryId: idOf(3, 2) } })],
  [
    'POST',
    /^\/api\/clients\/merge$/,
    (_state, { body }) => ({ body: { entryId: idOf(3, 3), clientId: (body as { survivor: string }).survivor } }),
  ],
  [
    'POST',
    /^\/api\/clients\/[^/]+\/unmerge$/,
    () => ({ body: { entryId: idOf(3, 4), clientIds: [idOf(1, 3), idOf(1, 4)] } }),
  ],
  [
    'GET',
    /^\/api\/loads$/,
    (state) => ({ body: { loads: Array.from({ length: state.loads }, (_, index) => load(index)) } }),
  ],
  ['POST', /^\/api\/loads\/uploads$/, () => ({ body: uploadView() })],
  ['GET', /^\/api\/loads\/uploads$/, ({ loads }) => ({ body: { uploads: loads === 0 ? [] : waitingUploads() } })],
  ['DELETE', /^\/api\/loads\/uploads\/[^/]+$/, () => ({ status: 204 })],
  ['POST', /^\/api\/loads\/uploads\/[^/]+\/preview$/, () => ({ body: previewRows() })],
  [
    'POST',
    /^\/api\/loads$/,
    (_state, { body }) => ({ body: { load: { ...load(1), dryRun: (body as { dryRun: boolean }).dryRun } } }),
  ],
  ['GET', /^\/api\/loads\/[^/]+$/, (_state, _request, [, , id]) => ({ body: { load: load(indexOf(id)) } })],
  ['POST', /^\/api\/loads\/[^/]+\/cancel$/, () => ({})],
  [
    'GET',
    /^\/api\/mappings$/,
    () => ({
      body: {
        mappings: [
          {
            name: 'District spreadsheets',
            map: { id: 'rec_id', given: 'given_name' },
            updatedAt: NOW,
            updatedBy: 'Grace',
          },
        ],
      },
    }),
  ],
  ['PUT', /^\/api\/mappings\/[^/]+$/, () => ({ body: {} })],
  [
    'GET',
    /^\/api\/domains$/,
    () => ({
      body: {
        domains: [
          { system: 'urn:example:spreadsheet-2024' },
          { system: 'urn:example:mulago', node: { id: idOf(7, 0), name: 'Mulago clinic' } },
        ],
      },
    }),
  ],
  [
    'GET',
    /^\/api\/nodes$/,
    (state) => ({ body: { nodes: Array.from({ length: state.nodes }, (_, index) => node(index)) } }),
  ],
  [
    'POST',
    /^\/api\/nodes$/,
    (_state, { body }) => {
      const { name, way } = body as { name: string; way?: string };
      const made = { 'node.key': 'KEY', 'node.p12': 'UEsxMg==', p12Password: 'kT9vX2mQ7wLzR4nB1cYfHg' };
      const token = 'mP3xT8vQ2wLzR4nB1cYfHgkT9vX2mQ7wLzR4nB1cYfH';
      const enrolUrl = 'https://localhost:8444/enrol';
      return {
        body: {
          node: { ...node(0), name },
          fhirUrl: 'https://localhost:8444/fhir',
          files: {
            'ca.crt': 'CA',
            ...(way === 'invite' ? {} : { 'node.crt': 'CERT' }),
            ...(way === 'make' ? made : {}),
          },
          ...(way === 'invite' ? { invitation: { token, enrolUrl, expiresAt: ago(-4000) } } : {}),
        },
      };
    },
  ],
  ['GET', /^\/api\/nodes\/[^/]+$/, (_state, _request, [, , id]) => ({ body: { node: node(indexOf(id)) } })],
  ['PATCH', /^\/api\/nodes\/[^/]+$/, (_state, _request, [, , id]) => ({ body: { node: node(indexOf(id)) } })],
  ['POST', /^\/api\/nodes\/[^/]+\/suspend$/, () => ({ body: { node: node(3) } })],
  ['GET', /^\/api\/trust$/, (state) => ({ body: trust(state.nodes > 0) })],
  ['GET', /^\/api\/calls$/, (state) => ({ body: callList(state.nodes > 0) })],
  ['GET', /^\/api\/calls\/figures$/, (state) => ({ body: callFigures(state.nodes > 0) })],
  ['GET', /^\/api\/deliveries$/, (state) => ({ body: deadDeliveries(state.nodes > 0) })],
  ['POST', /^\/api\/deliveries\/(.+\/)?rerun$/, () => ({ body: { rerun: 1 } })],
  ['GET', /^\/api\/deliveries\/[^/]+$/, () => ({ body: oneDelivery })],
  ['GET', /^\/api\/subscribers$/, (state) => ({ body: subscriberList(state.nodes > 0) })],
  ['POST', /^\/api\/nodes\/[^/]+\/revoke$/, () => ({ body: { node: node(2) } })],
  ['GET', /^\/api\/audit\/events$/, auditEvents],
  [
    'GET',
    /^\/api\/audit\/events\/[^/]+$/,
    (_state, _request, [, , , id]) => {
      const event = auditEvent(indexOf(id));
      return {
        body: {
          event,
          auditEvent: { resourceType: 'AuditEvent', recorded: event.recorded, action: event.action, outcome: '0' },
          ...('index' in event && event.index !== undefined ? { proof: proof(event.index) } : {}),
        },
      };
    },
  ],
  [
    'GET',
    /^\/api\/audit\/status$/,
    () => ({
      body: {
        size: 48_211,
        rootHash: hash(7),
        checkpoint: CHECKPOINT,
        signedAt: ago(0),
        pending: 1,
        verifierKey: 'careseal.example/log+5a2b+' + hash(8),
        ok: true,
      },
    }),
  ],
  ['GET', /^\/api\/audit\/names$/, () => ({ body: { names: EVENTS.map(([event, title]) => ({ event, title })) } })],
];

export function fixtureRoutes(state: FixtureState, request: FixtureRequest): FixtureAnswer {
  const open =
    /^\/api\/(session$|sign-in|sign-out|setup|enrol|password-check|forgot-password|password-reset|factor-reset)/.test(
      request.path,
    );
  if (!open && state.signedIn !== 'signed-in')
    return { status: 401, body: { status: 401, code: 'not-signed-in', detail: 'You are not signed in.' } };
  for (const [method, pattern, handler] of [
    ...identityRoutes(state.noticePending),
    ...rightsRoutes(state.clients === 0),
  ]) {
    if (method === request.method && pattern.test(request.path)) return handler(request);
  }
  for (const [method, pattern, handler] of [...ROUTES, ...REVIEW_ROUTES, ...MODEL_ROUTES, ...auditHandlers]) {
    if (method === request.method && pattern.test(request.path))
      return handler(state, request, request.path.slice(1).split('/'));
  }
  return { status: 404, body: { status: 404, code: 'not-found', detail: 'There is no such thing.' } };
}
