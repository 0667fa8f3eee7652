import { type Audit, createAudit } from '../../src/features/audit/index.ts';
import { ALL_PERMISSIONS } from '../../src/features/identity/index.ts';
import { createNodes, type Nodes } from '../../src/features/nodes/index.ts';
import type { OrganisationId, SessionId, UserId } from '../../src/kernel/ids.ts';
import type { Actor } from '../../src/kernel/principal.ts';
import { type Database, statement } from '../../src/platform/db/index.ts';
import { createOutbound, type Outbound } from '../../src/platform/outbound/index.ts';
import type { EndingCertificate } from '../../src/features/nodes/model.ts';
import type { KeyRing } from '../../src/store/index.ts';
import { testKeyRing } from './audit.ts';
import { testClock, type TestClock } from './identity.ts';

export const ORGANISATION = '0198f3a0-0000-7000-8000-00000000000a' as OrganisationId;
export const OTHER_ORGANISATION = '0198f3a0-0000-7000-8000-00000000000b' as OrganisationId;

export const operator: Actor = {
  principal: { kind: 'operator', osUser: 'test', permissions: ALL_PERMISSIONS },
  origin: { door: 'command-line', requestId: '0198f3a0-0000-7000-8000-0000000000c1' },
};

/** A user of the other organisation. */
export const outsider: Actor = {
  principal: {
    kind: 'user',
    userId: '0198f3a0-0000-7000-8000-0000000000d1' as UserId,
    displayName: 'Outsider',
    organisationId: OTHER_ORGANISATION,
    roles: ['administrator'],
    permissions: ALL_PERMISSIONS,
    sessionId: '0198f3a0-0000-7000-8000-0000000000e1' as SessionId,
    authenticatedAtMs: 0,
  },
  origin: { door: 'users', address: '192.0.2.9', requestId: '0198f3a0-0000-7000-8000-0000000000c2' },
};

export interface NodesFixture {
  readonly nodes: Nodes;
  readonly audit: Audit;
  readonly clock: TestClock;
  readonly keyRing: KeyRing;
  /** Warnings of certificates that end soon. */
  readonly endings: EndingCertificate[];
}

/** Nodes on a test database with a real audit log. Not started: `nodes.start()` makes the authority and listens. */
export function nodesFixture(
  database: Database,
  options: {
    readonly clock?: TestClock;
    readonly keyRing?: KeyRing;
    readonly outbound?: Outbound;
    readonly fhirUrl?: string;
    readonly onEnding?: (ending: EndingCertificate) => void;
  } = {},
): NodesFixture {
  const clock = options.clock ?? testClock(Date.now());
  const keyRing = options.keyRing ?? testKeyRing();
  const rethrow = (error: unknown): never => {
    throw error;
  };
  const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org' };
  const audit = createAudit({ database, keyRing, clock, source, onFailure: (_code, error) => rethrow(error) });
  const endings: EndingCertificate[] = [];
  const nodes = createNodes({
    database,
    keyRing,
    audit,
    clock,
    organisationFor: async ({ principal }) => (principal.kind === 'user' ? principal.organisationId : ORGANISATION),
    fhirUrl: options.fhirUrl ?? 'https://careseal.example.org:8444/fhir',
    publicUrl: 'https://careseal.example.org:8443',
    outbound: options.outbound ?? createOutbound({ allowedNetworks: [] }),
    onBackgroundFailure: rethrow,
    onEnding: (ending) => {
      endings.push(ending);
      options.onEnding?.(ending);
    },
  });
  return { nodes, audit, clock, keyRing, endings };
}

const COUNT_EVENTS = statement<{ readonly n: bigint }>(
  'test.count-events',
  'SELECT coalesce(sum(events), 0)::bigint AS n FROM audit.batch',
);

export async function countEvents(database: Database): Promise<number> {
  return Number((await database.rows(COUNT_EVENTS))[0]?.n ?? -1);
}
