/**
 * Made-up people for the pages' tests: long names, right-to-left names, names without a family part. Deterministic, so that
 * pictures can be compared. Nothing here is shipped.
 */
import type {
  ClientDetailReply,
  ClientSummary,
  ExplanationView,
  ReviewDetailReply,
  SourceView,
} from '../../src/features/registry/wire.ts';

const GIVEN = [
  'Amina',
  'Joseph',
  'Grace',
  'Okello',
  'Nakato',
  'Babirye',
  'Moses',
  'فاطمة',
  'Ingrid',
  'محمد',
  'Sarah',
  'Wasswa',
];
const FAMILY = [
  'Okello',
  'Namukasa',
  'Mugisha',
  'عبد الرحمن',
  'Tumusiime',
  'Nakamya',
  'Ssekandi',
  'Achieng',
  'الحسن',
  'Byaruhanga',
];

export const NOW = '2026-03-04T09:30:00.000Z';
const AT = Date.parse(NOW);
const ago = (minutes: number): string => new Date(AT - minutes * 60_000).toISOString();

/** A stable UUIDv7-looking id. */
export function idOf(kind: number, index: number): string {
  return `0195${kind.toString(16).padStart(4, '0')}-0000-7000-8000-${index.toString(16).padStart(12, '0')}`;
}

function nameOf(index: number): { given: string; family: string } {
  if (index === 2) {
    return {
      given: 'Maria Magdalena Konstantina Alexandra Wilhelmina',
      family: 'von und zu Hohenzollern-Sigmaringen-Schleswig-Holstein',
    };
  }
  const rtl = index % 9 === 4;
  const given = rtl ? (index % 2 === 0 ? 'فاطمة' : 'محمد') : (GIVEN[index % GIVEN.length] ?? 'Amina');
  const family = rtl ? 'عبد الرحمن' : (FAMILY[(index * 7) % FAMILY.length] ?? 'Okello');
  return { given, family };
}

export function clientOf(index: number): ClientSummary {
  const { given, family } = nameOf(index);
  const year = 1940 + ((index * 13) % 80);
  const month = String(1 + (index % 12)).padStart(2, '0');
  const day = String(1 + ((index * 5) % 28)).padStart(2, '0');
  return {
    id: idOf(1, index),
    name: `${given} ${family}`,
    givenNames: [given],
    familyName: family,
    gender: index % 11 === 0 ? 'unknown' : index % 2 === 0 ? 'female' : 'male',
    ...(index % 13 === 5 ? { birthDate: `${year}` } : { birthDate: `${year}-${month}-${day}` }),
    identifiers: [
      { system: 'urn:ug:nin', label: 'ug:nin', value: `CM${String(80_000_000 + index * 7919)}AB` },
      ...(index % 3 === 0
        ? [{ system: 'urn:example:mulago', label: 'example:mulago', value: `M-${index.toString().padStart(5, '0')}` }]
        : []),
    ],
    sources: 1 + (index % 4),
    updatedAt: ago(index * 37),
    active: index % 29 !== 28,
  };
}

const DOMAINS = [
  { system: 'urn:example:mulago', label: 'Mulago clinic', node: 'Mulago clinic' },
  { system: 'urn:ug:nin', label: 'National identity', node: 'NIRA gateway' },
  {
    system: 'urn:example:laboratory',
    label: 'Central laboratory',
    node: 'Laboratory system of the central public health office',
  },
  { system: 'urn:example:spreadsheet-2024', label: 'spreadsheet-2024' },
] as const;

function explanation(
  score: number,
  decision: 'match' | 'review' | 'none',
  extra: Partial<ExplanationView> = {},
): ExplanationView {
  const fields = [
    { field: 'identifier:urn:ug:nin', level: score > 0.9 ? 'exact' : 'missing', weight: score > 0.9 ? 9.4 : 0 },
    { field: 'family', level: 'exact', weight: 6.8 },
    {
      field: 'birthDate',
      level: score > 0.9 ? 'exact' : 'transposed',
      weight: score > 0.9 ? 7.2 : 2.6,
      similarity: 0.88,
    },
    {
      field: 'given',
      level: score > 0.8 ? 'nickname' : 'different',
      weight: score > 0.8 ? 3.1 : -3.7,
      similarity: 0.42,
    },
    { field: 'gender', level: 'exact', weight: 0.9 },
    { field: 'address.city', level: 'close', weight: 1.4, similarity: 0.91 },
    { field: 'phone', level: 'different', weight: -1.2 },
    { field: 'mothersMaidenName', level: 'missing', weight: 0 },
  ];
  const priorWeight = -11.3;
  return {
    modelVersion: 'shipped-1',
    score,
    weight: fields.reduce((sum, field) => sum + field.weight, priorWeight),
    priorWeight,
    grade: score > 0.95 ? 'certain' : score > 0.7 ? 'probable' : 'possible',
    decision,
    contradictions: [],
    fields,
    ...extra,
  };
}

function sourceOf(client: ClientSummary, index: number, position: number): SourceView {
  const domain = DOMAINS[position % DOMAINS.length] ?? DOMAINS[0];
  const field = (path: string, label: string, value: string | undefined) =>
    value === undefined ? [] : [{ path, label, value }];
  return {
    id: idOf(2, index * 8 + position),
    domain: domain.system,
    domainLabel: domain.label,
    ...('node' in domain ? { node: domain.node } : {}),
    key: `${position === 1 ? 'CM' : 'M-'}${String(10_000 + index * 31 + position)}`,
    version: 1 + position,
    updatedAt: ago(60 * 24 * (3 + position * 40)),
    fields: [
      ...field('name.given', 'Given names', position === 2 ? client.givenNames[0]?.slice(0, 4) : client.givenNames[0]),
      ...field('name.family', 'Family name', client.familyName),
      ...field('gender', 'Gender', client.gender),
      ...field('birthDate', 'Birth date', position === 3 ? '1984-05-13' : client.birthDate),
      ...field('telecom.phone', 'Telephone', position % 2 === 0 ? '+256 772 345 678' : '+256 701 000 111'),
      ...field('address.city', 'Town', position === 1 ? 'Kampala' : 'Kampalla'),
      ...field(
        'address.line',
        'Street',
        position === 0 ? 'Plot 14, Old Kira Road, behind the petrol station' : undefined,
      ),
      ...field('identifier', 'Identifier', `${domain.label}: ${10_000 + index * 31 + position}`),
    ],
    ...(position === 0
      ? {}
      : {
          linkedBy: {
            entryId: idOf(3, index * 8 + position),
            at: ago(60 * 24 * (2 + position)),
            actor:
              position === 2
                ? { kind: 'user', id: idOf(9, 1), name: 'Grace Namukasa' }
                : { kind: 'system', name: 'Careseal' },
            kind: 'linked',
            score: position === 1 ? 0.9993 : 0.91,
            modelVersion: 'shipped-1',
            ...(position === 2 ? { reason: 'Seen at the clinic with both cards' } : {}),
          },
        }),
  };
}

/** Its rows were changed past Careseal. */
export const ALTERED_CLIENT = 11;

export function clientDetail(index: number): ClientDetailReply {
  const client = clientOf(index);
  const sources = Array.from({ length: client.sources }, (_, position) => sourceOf(client, index, position));
  const from = (positions: readonly number[]) =>
    positions.flatMap((position) => {
      const source = sources[position];
      return source ? [{ sourceId: source.id, domainLabel: source.domainLabel, updatedAt: source.updatedAt }] : [];
    });
  const everybody = sources.map((_, position) => position);
  const links = sources.flatMap((a, i) =>
    sources.slice(i + 1).map((b, j) => ({
      a: a.id,
      b: b.id,
      explanation:
        i === 0 && j === 0 ? explanation(0.9993, 'match') : explanation(0.91 - 0.3 * i, i === 0 ? 'match' : 'review'),
    })),
  );
  return {
    client: {
      id: client.id,
      version: 4,
      active: true,
      ...(index === ALTERED_CLIENT ? { altered: true as const } : {}),
      name: client.name,
      updatedAt: client.updatedAt,
      demographics: [
        {
          path: 'name',
          label: 'Name',
          value: client.name,
          from: from(everybody),
          rule: 'the newest record',
          alternatives: [],
        },
        {
          path: 'birthDate',
          label: 'Birth date',
          value: client.birthDate ?? '1984',
          from: from([0, 1, 2]),
          rule: 'the value most records agree on',
          alternatives: sources[3]
            ? [{ value: '1984-05-13', sourceId: sources[3].id, domainLabel: sources[3].domainLabel }]
            : [],
        },
        {
          path: 'gender',
          label: 'Sex',
          value: client.gender ?? 'unknown',
          from: from(everybody),
          rule: 'the value most records agree on',
          alternatives: [],
        },
        {
          path: 'telecom',
          label: 'Telephone',
          value: '+256 772 345 678',
          from: from([0, 2]),
          rule: 'all values, newest first',
          alternatives: sources[1]
            ? [{ value: '+256 701 000 111', sourceId: sources[1].id, domainLabel: sources[1].domainLabel }]
            : [],
        },
        {
          path: 'address',
          label: 'Address',
          value: 'Plot 14, Old Kira Road, behind the petrol station, Kampala',
          from: from([0]),
          rule: 'the most complete',
          alternatives: sources[1]
            ? [{ value: 'Kampala', sourceId: sources[1].id, domainLabel: sources[1].domainLabel }]
            : [],
        },
        {
          path: 'identifier',
          label: 'Identifier ug:nin',
          value: client.identifiers[0]?.value ?? '',
          from: from([1, 0]),
          rule: 'all identifiers',
          alternatives: [],
        },
      ],
    },
    sources,
    links,
    ledger: [
      {
        entryId: idOf(3, index * 8),
        at: ago(60 * 24 * 90),
        actor: { kind: 'node', id: idOf(7, 0), name: 'Mulago clinic' },
        kind: 'created',
        text: 'A new client was made for the first record.',
        sourceId: sources[0]?.id,
        goldenId: client.id,
      },
      ...sources.slice(1).map((source) => ({
        entryId: source.linkedBy?.entryId ?? idOf(3, 1),
        at: source.linkedBy?.at ?? NOW,
        actor: source.linkedBy?.actor ?? { kind: 'system' as const, name: 'Careseal' },
        kind: 'linked' as const,
        text: `A record of ${source.domainLabel} was linked.`,
        ...(source.linkedBy?.reason === undefined ? {} : { reason: source.linkedBy.reason }),
        score: source.linkedBy?.score,
        goldenId: client.id,
      })),
    ],
    reviewsOpen: index === 3 ? 1 : 0,
    sourcesElsewhere: 0,
    neverLinked: [],
  };
}

export function reviewDetail(index: number, count: number): Omit<ReviewDetailReply, 'counts'> {
  const a = clientOf(index * 2 + 3);
  const b = clientOf(index * 2 + 4);
  const sourceA = sourceOf(a, index * 2 + 3, 0);
  const sourceB = sourceOf(b, index * 2 + 4, 2);
  const score = 0.89 - (index % 30) * 0.011;
  const side = (client: ClientSummary, source: SourceView) => ({
    sourceId: source.id,
    clientId: client.id,
    domainLabel: source.domainLabel,
    name: client.name,
    ...(client.birthDate === undefined ? {} : { birthDate: client.birthDate }),
    ...(client.gender === undefined ? {} : { gender: client.gender }),
  });
  return {
    review: {
      id: idOf(4, index),
      state: 'open',
      createdAt: ago(90 + index * 211),
      score,
      grade: 'probable',
      cause: index % 4 === 3 ? 'contradiction' : 'between-thresholds',
      a: side(a, sourceA),
      b: side({ ...b, name: index === 0 ? a.name.replace('o', 'u') : b.name }, sourceB),
      explanation: explanation(score, 'review', index % 4 === 3 ? { contradictions: ['twins'] } : {}),
      comparison: [
        { path: 'given', label: 'Given names', a: 'Okello', b: 'Okelo', same: 'similar' },
        { path: 'family', label: 'Family name', a: 'عبد الرحمن', b: 'عبد الرحمن', same: 'same' },
        { path: 'birthDate', label: 'Birth date', a: '1984-05-31', b: '1984-05-13', same: 'similar' },
        { path: 'gender', label: 'Sex', a: 'male', b: 'male', same: 'same' },
        { path: 'phone', label: 'Telephone', a: '+256 772 345 678', b: '+256 701 000 111', same: 'different' },
        {
          path: 'address',
          label: 'Address',
          a: 'Plot 14, Old Kira Road, behind the petrol station, Kampala',
          b: 'Kampalla',
          same: 'different',
        },
        { path: 'nin', label: 'Identifier ug:nin', a: 'CM80007919AB', same: 'only-a' },
        { path: 'mother', label: 'Mother’s maiden name', b: 'Nakamya', same: 'only-b' },
      ],
      sourceA,
      sourceB,
    },
    ...(index + 1 < count ? { next: idOf(4, index + 1) } : {}),
    ...(index > 0 ? { previous: idOf(4, index - 1) } : {}),
  };
}

/** The number that `idOf` put into an id. */
export const indexOf = (id: string | undefined): number => Number.parseInt((id ?? '').split('-').at(-1) ?? '0', 16);
