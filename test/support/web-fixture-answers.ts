/** Made-up loads, nodes and audit events for the fixture door; people are in web-fixture-data.ts. */
import { clientOf, idOf } from './web-fixture-data.ts';

export const ago = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();
export const hash = (seed: number): string => Buffer.alloc(32, seed).toString('base64');

export const load = (index: number) => ({
  id: idOf(5, index),
  state: ['done', 'running', 'failed', 'done', 'cancelled', 'waiting'][index] ?? 'done',
  fileName:
    ['clients-2024.csv', 'district-north-all-health-centres-final-version-2.csv', 'broken.csv', 'patients.ndjson'][
      index
    ] ?? 'more.csv',
  format: index === 3 ? 'ndjson' : 'csv',
  domain: ['urn:example:mulago', 'urn:example:district-north', 'urn:example:laboratory'][index % 3],
  dryRun: index === 3,
  bytesTotal: 612_000,
  bytesDone: index === 1 ? 262_000 : 612_000,
  counts: {
    read: index === 1 ? 2140 : 5000,
    created: index === 1 ? 2100 : 4920,
    updated: 11,
    unchanged: 40,
    linked: 1204,
    reviews: 23,
    rejected: index === 1 ? 0 : 29,
    warnings: 12,
  },
  seconds: index === 1 ? 2.4 : 4.8,
  ...(index === 2
    ? { error: { code: 'bad-encoding', text: 'Line 812 is not UTF-8, so the rest cannot be read reliably.' } }
    : {}),
  startedBy: 'Dr. Amina Okello',
  startedAt: ago(3 + index * 700),
  ...(index === 1 ? {} : { finishedAt: ago(2 + index * 700) }),
  rejectedAvailable: index !== 1,
  warningsAvailable: index === 0,
});

const COLUMNS = [
  'rec_id',
  'given_name',
  'surname',
  'date_of_birth',
  'sex',
  'phone_number',
  'uganda_nin',
  'suburb',
  'remarks',
] as const;
const SAMPLES: Readonly<Record<string, readonly string[]>> = {
  rec_id: ['1', '2', '3'],
  given_name: ['Amina', 'محمد', 'Maria Magdalena Konstantina'],
  surname: ['Okello', 'عبد الرحمن', 'Hohenzollern'],
  date_of_birth: ['19840531', '19911102', '20010101'],
  sex: ['f', 'm', 'f'],
  phone_number: ['+256772345678', '0701000111'],
  uganda_nin: ['CM80007919AB', 'CF91007920ZK'],
  suburb: ['Kampala', 'Entebbe', 'Jinja'],
  remarks: [],
};

export const waitingUploads = () =>
  ['clients-2024.csv', 'the wrong one, with a long name and the year 2019.csv'].map((fileName, at) => ({
    ...{ uploadId: idOf(6, at), fileName, sizeBytes: 612_000 * (at + 1), busy: at === 0 },
    uploadedAt: new Date(Date.now() - (at + 1) * 3_600_000).toISOString(),
    expiresAt: new Date(Date.now() + (23 - at) * 3_600_000).toISOString(),
  }));
export const uploadView = () => ({
  uploadId: idOf(6, 0),
  fileName: 'clients-2024.csv',
  sizeBytes: 612_000,
  format: 'csv',
  delimiter: ',',
  encoding: 'utf-8',
  columns: COLUMNS.map((name) => ({
    name,
    samples: SAMPLES[name] ?? [],
    filled: name === 'remarks' ? 0 : name === 'phone_number' ? 71 : 100,
  })),
  rowsPreviewed: 100,
  guess: {
    id: 'rec_id',
    given: 'given_name',
    family: 'surname',
    gender: 'sex',
    birthDate: { column: 'date_of_birth', format: 'YYYYMMDD' },
    phone: 'phone_number',
    identifier: [{ system: 'urn:ug:nin', column: 'uganda_nin' }],
    address: { city: 'suburb' },
  },
  problems: [
    {
      level: 'warning',
      code: 'ragged',
      text: '2 of the first 100 rows have more values than there are columns.',
      line: 41,
    },
  ],
  expiresAt: ago(-60),
});

export const previewRows = () => ({
  rows: [0, 1, 2, 3, 4].map((index) => {
    const client = clientOf(index + 3);
    return {
      line: index + 2,
      fields: [
        { path: 'key', label: 'Record number', value: String(index + 1) },
        { path: 'name', label: 'Name', value: client.name },
        ...(index === 3 ? [] : [{ path: 'birthDate', label: 'Birth date', value: client.birthDate ?? '1984' }]),
        { path: 'gender', label: 'Gender', value: client.gender ?? 'unknown' },
        { path: 'phone', label: 'Telephone', value: '+256 772 345 678' },
      ],
      ...(index === 3 ? { reject: { column: 'date_of_birth', reason: '19840231 is not a date that exists' } } : {}),
      warnings: index === 4 ? [{ column: 'phone_number', reason: 'no country code: kept as it is' }] : [],
    };
  }),
  problems: [],
});

const certificateOf = (index: number) => ({
  sha256: (['ab', 'cd', 'ef'][index] ?? '12').repeat(32),
  subject: 'CN=Mulago clinic, O=Careseal',
  serial: '4f2a',
  origin: index === 1 ? 'trusted' : 'issued',
  intact: true,
  notBefore: ago(60 * 24 * 200),
  notAfter: ago(-60 * 24 * (index === 1 ? 12 : 190)),
  endsAt: ago(-60 * 24 * (index === 1 ? 12 : 190)),
  ...(index === 2 ? { revokedAt: ago(9000) } : { lastSeenAt: ago(4) }),
});

export const node = (index: number) => ({
  id: idOf(7, index),
  organisationId: idOf(8, 0),
  name:
    ['Mulago clinic', 'Laboratory system of the central public health office', 'Old laptop'][index] ??
    `Clinic ${index}`,
  domains: [
    ['urn:example:mulago', 'urn:example:laboratory', 'https://clinic.example.org/fhir/identifiers/patient'][index] ??
      'urn:example:more',
  ],
  state: index === 2 ? 'revoked' : index === 3 ? 'suspended' : index === 4 ? 'invited' : 'active',
  intact: index !== 5,
  scopes: ['read', 'search', 'pix', 'match', 'feed'],
  networks: index === 1 ? ['192.0.2.0/24', '2001:db8:1::/48'] : [],
  perMinute: 60_000,
  tokenRequired: index === 1,
  hasJwks: index === 1,
  ...(index === 0 ? { contact: 'Joseph Mugisha, +256 700 000000' } : {}),
  certificates:
    index === 4 ? [] : index === 0 ? [certificateOf(0), certificateOf(1), certificateOf(2)] : [certificateOf(index)],
  createdAt: ago(60 * 24 * 200),
  ...(index === 2 ? { revokedAt: ago(9000), revokedReason: 'Laptop stolen' } : { lastSeenAt: ago(4) }),
});

/** Whom this installation trusts; nobody else before the first node. */
export const trust = (foreign: boolean) => ({
  own: [
    {
      id: idOf(14, 0),
      kind: 'issuing',
      subject: 'O=Careseal, CN=Careseal 5f3a issuing',
      sha256: '0f'.repeat(32),
      notAfter: ago(-60 * 24 * 1500),
      keyIsHere: true,
      crlUrl: `https://localhost:8443/pki/${idOf(14, 0)}.crl`,
      crlNextUpdate: ago(-60 * 24 * 6),
    },
    {
      id: idOf(14, 1),
      kind: 'root',
      subject: 'O=Careseal, CN=Careseal 5f3a root',
      sha256: 'f0'.repeat(32),
      notAfter: ago(-60 * 24 * 3300),
      keyIsHere: false,
      crlUrl: `https://localhost:8443/pki/${idOf(14, 1)}.crl`,
    },
  ],
  foreign: foreign
    ? [
        {
          id: idOf(14, 2),
          name: 'Ministry of Health',
          subject: 'C=UG, O=Ministry of Health, CN=Systems',
          sha256: '77'.repeat(32),
          notAfter: ago(-60 * 24 * 20),
          acceptLong: true,
          crlRequired: true,
          hasCrl: true,
          crlNextUpdate: ago(-60 * 24 * 3),
          crlUrl: 'http://ca.health.example/systems.crl',
          crlTriedAt: ago(40),
          crlFailure: 'outbound-timeout',
          intact: true,
          rules: [{ id: idOf(14, 3), nodeId: idOf(7, 1), attribute: 'cn', value: 'lab.health.example' }],
        },
      ]
    : [],
});

const CALLS = [
  ['GET', '/fhir/Patient', 200, undefined],
  ['POST', '/fhir/Patient', 201, undefined],
  ['GET', '/fhir/Patient/:id', 200, undefined],
  ['POST', '/fhir/Patient', 403, 'scope-missing'],
  ['GET', '/fhir/Patient/$ihe-pix', 404, 'pix-source-unknown'],
  ['GET', '/fhir/Patient', 401, 'certificate-unknown'],
] as const;

export const callList = (some: boolean) => ({
  more: some,
  calls: Array.from({ length: some ? 40 : 0 }, (_, index) => {
    const [method, route, status, code] = CALLS[index % CALLS.length] ?? CALLS[0];
    return {
      id: String(900 - index),
      at: ago(index * 3),
      ...(code === 'certificate-unknown' ? {} : { node: { id: idOf(7, index % 2), name: node(index % 2).name } }),
      method,
      route,
      status,
      ...(code === undefined ? {} : { code }),
      milliseconds: 3 + (index % 7) * 4,
      ...(method === 'POST' ? { bytesIn: 1_240 } : {}),
      bytesOut: 2_048 + index,
      requestId: idOf(15, index),
    };
  }),
});

export const callFigures = (some: boolean) => ({
  hours: 24,
  slotSeconds: 1800,
  from: ago(24 * 60),
  to: ago(0),
  slots: Array.from({ length: some ? 48 : 0 }, (_, index) => ({
    at: ago(24 * 60 - index * 30),
    calls: Math.round(40 + 35 * Math.sin(index / 5)),
    failed: index % 6 === 0 ? 5 : 0,
    medianMs: 5,
    p95Ms: 10 + (index % 5) * 10,
    maxMs: 80,
  })),
  failures: some
    ? [
        {
          node: { id: idOf(7, 0), name: 'Mulago clinic' },
          method: 'POST',
          route: '/fhir/Patient',
          status: 403,
          code: 'scope-missing',
          calls: 31,
          firstAt: ago(1200),
          lastAt: ago(9),
          lastRequest: idOf(15, 3),
        },
        {
          method: 'GET',
          route: '-',
          status: 401,
          code: 'certificate-unknown',
          calls: 9,
          firstAt: ago(900),
          lastAt: ago(15),
          lastRequest: idOf(15, 5),
        },
      ]
    : [],
});

export const deadDeliveries = (some: boolean) => ({
  deliveries: some
    ? [
        {
          id: idOf(16, 0),
          subscriptionId: idOf(16, 1),
          nodeId: idOf(7, 1),
          state: 'dead',
          attempts: 12,
          createdAt: ago(2000),
          failure: 'outbound-timeout',
        },
      ]
    : [],
});

const letter = deadDeliveries(true).deliveries[0];
export const oneDelivery = {
  ...letter,
  doneAt: ago(100),
  endpointHost: 'lab.example.org',
  channel: 'message',
  subscriber: 'off',
  failures: 12,
  clientId: idOf(1, 1),
};
export const subscriberList = (some: boolean) => ({
  subscribers: some
    ? [
        {
          id: idOf(16, 1),
          nodeId: idOf(7, 1),
          status: 'off',
          channel: 'message',
          failures: 12,
          lastFailure: 'outbound-timeout',
          waiting: 0,
          dead: 1,
        },
        {
          id: idOf(16, 2),
          nodeId: idOf(7, 0),
          status: 'active',
          channel: 'rest-hook',
          failures: 0,
          lastSuccessAt: ago(2),
          waiting: 3,
          dead: 0,
        },
      ]
    : [],
});

export const EVENTS = [
  ['client.read', 'Client read', 'R'],
  ['client.search', 'Clients searched', 'E'],
  ['sign-in.code', 'Signed in', 'E'],
  ['review.decide', 'Review decided', 'U'],
  ['node.add', 'Node added', 'C'],
  ['load.start', 'Load started', 'E'],
] as const;

export const auditEvent = (index: number) => {
  const [event, title, action] = EVENTS[index % EVENTS.length] ?? EVENTS[0];
  const actors = [
    { kind: 'user', id: idOf(9, 0), name: 'Dr. Amina Okello' },
    { kind: 'node', id: idOf(7, 0), name: 'Mulago clinic' },
    { kind: 'operator', id: 'root', name: 'root' },
    { kind: 'anonymous', id: 'anonymous', name: 'nobody signed in' },
  ] as const;
  return {
    id: idOf(10, index),
    ...(index === 0 ? {} : { index: 48_211 - index }),
    recorded: ago(index * 3),
    event,
    title,
    action,
    outcome: index % 17 === 16 ? 'serious-failure' : index % 7 === 5 ? 'minor-failure' : 'success',
    actor: actors[index % 4] ?? actors[0],
    ...(index % 6 < 2 ? { client: [idOf(1, index)] } : {}),
    entities: [`Session/${idOf(11, index)}`],
    door: index % 4 === 2 ? 'command-line' : index % 4 === 1 ? 'nodes' : 'users',
    ...(index % 4 === 2 ? {} : { address: '10.20.30.40' }),
    requestId: idOf(12, index),
    ...(index % 7 === 5 ? { reason: 'not-allowed' } : {}),
  };
};

export const CHECKPOINT = `careseal.example/log\n48211\n${hash(7)}\n\n— careseal.example/log 5a2b${hash(9)}\n`;
export const proof = (index: number) => ({
  index,
  size: 48_211,
  rootHash: hash(7),
  leaf: hash(3),
  nonce: hash(4),
  path: [hash(1), hash(2), hash(5)],
  checkpoint: CHECKPOINT,
  ok: true,
});
