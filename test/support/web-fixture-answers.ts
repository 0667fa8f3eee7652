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

export const node = (index: number) => ({
  id: idOf(7, index),
  name:
    ['Mulago clinic', 'Laboratory system of the central public health office', 'Old laptop'][index] ??
    `Clinic ${index}`,
  domains: [
    ['urn:example:mulago', 'urn:example:laboratory', 'https://clinic.example.org/fhir/identifiers/patient'][index] ??
      'urn:example:more',
  ],
  state: index === 2 ? 'revoked' : 'active',
  certificates: [
    {
      sha256: 'ab'.repeat(32),
      subject: 'CN=Mulago clinic',
      notBefore: ago(60 * 24 * 200),
      notAfter: ago(-60 * 24 * (index === 1 ? 12 : 190)),
      ...(index === 2 ? { revokedAt: ago(9000) } : {}),
    },
  ],
  createdAt: ago(60 * 24 * 200),
  ...(index === 2 ? { revokedAt: ago(9000), revokedReason: 'Laptop stolen' } : { lastSeenAt: ago(4) }),
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
