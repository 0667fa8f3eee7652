import type { Patient } from '@medplum/fhirtypes';
import { createAudit } from '../../src/features/audit/index.ts';
import { compileModel, DEFAULT_MODEL } from '../../src/features/matching/index.ts';
import { createNodes } from '../../src/features/nodes/index.ts';
import { createMatcher, createRegistry, type Registry, type RegistryCore } from '../../src/features/registry/index.ts';
import type { ValidPatient } from '../../src/features/registry/model.ts';
import { searchTerms } from '../../src/fhir/index.ts';
import { NODE_SCOPES } from '../../src/kernel/access.ts';
import { createOutbound } from '../../src/platform/outbound/index.ts';
import type { NodeId, OrganisationId } from '../../src/kernel/ids.ts';
import type { Actor } from '../../src/kernel/principal.ts';
import { createResourceStore, type KeyRing, type ResourceStore } from '../../src/store/index.ts';
import { newId } from '../../src/crypto/index.ts';
import { operatorActor } from './audit.ts';
import { type TestDatabase, testDatabase } from './database.ts';
import { testClock } from './identity.ts';
import { testKeyVault } from './keys.ts';

export const ORGANISATION = '0198f3a0-0000-7000-8000-00000000000a' as OrganisationId;

export interface RegistryFixture {
  readonly db: TestDatabase;
  readonly keyRing: KeyRing;
  readonly resources: ResourceStore;
  /** The door, and everything as the operator sees it. */
  readonly registry: Registry & RegistryCore;
  readonly nodes: ReturnType<typeof createNodes>;
  readonly audit: ReturnType<typeof createAudit>;
  readonly clock: ReturnType<typeof testClock>;
  /** Somebody at the command line: may write to domains that no node owns. */
  readonly operator: Actor;
  /** A node that owns these domains (made in the database). */
  node(name: string, ...systems: string[]): Promise<Actor>;
  domain(system: string): Promise<{ id: number; system: string }>;
  close(): Promise<void>;
}

/** A registry on a database of its own, everything real: sealed, audited, matched with the shipped model. */
export async function registryFixture(
  more: Partial<Parameters<typeof createRegistry>[0]> = {},
): Promise<RegistryFixture> {
  const db = await testDatabase();
  const vault = await testKeyVault(db.database);
  const { keyRing } = vault;
  const clock = testClock();
  const audit = createAudit({
    database: db.database,
    keyRing,
    clock,
    source: { site: 'registry.test', baseUrl: 'https://registry.test:8443' },
    onFailure: () => {},
  });
  const nodes = createNodes({
    database: db.database,
    keyRing,
    audit,
    clock,
    organisationFor: async () => ORGANISATION,
    fhirUrl: 'https://careseal.example.org:8444/fhir',
    publicUrl: 'https://localhost:8443',
    outbound: createOutbound({ allowedNetworks: [] }),
    onEnding: () => undefined,
    onBackgroundFailure: () => {},
  });
  const resources = createResourceStore({ keyRing });
  const registry = createRegistry({
    database: db.database,
    keyRing,
    resources,
    audit,
    matcher: createMatcher(compileModel(DEFAULT_MODEL)),
    domains: nodes.domains,
    clock,
    termsOf: searchTerms,
    ...more,
  });
  const domain = async (system: string) => {
    const made = await nodes.domains.ensureForUsers(system, operatorActor);
    return { id: made.id, system: made.system };
  };
  return {
    db,
    keyRing,
    resources,
    registry: { ...registry.as(operatorActor.principal), ...registry },
    nodes,
    audit,
    clock,
    operator: operatorActor,
    domain,
    async node(name, ...systems) {
      const nodeId = newId<NodeId>();
      for (const system of systems) await ownDomain(db, { nodeId, name, system });
      nodes.domains.forget();
      return {
        principal: {
          kind: 'node',
          nodeId,
          name,
          organisationId: ORGANISATION,
          domains: systems,
          permissions: new Set(['client.read', 'client.write', 'client.delete']),
          scopes: new Set(NODE_SCOPES),
          certificateSha256: '00'.repeat(32),
        },
        origin: { door: 'nodes', address: '127.0.0.1', requestId: newId() },
      };
    },
    async close() {
      await vault.close();
      await db.close();
    },
  };
}

async function ownDomain(db: TestDatabase, what: { nodeId: NodeId; name: string; system: string }): Promise<void> {
  await db.ownerDatabase.rows(
    {
      name: 'test.node',
      text: `INSERT INTO nodes.node (id, organisation_id, name, created_at) VALUES ($1, $2, $3, now()) ON CONFLICT DO NOTHING`,
    },
    [what.nodeId, ORGANISATION, what.name],
  );
  await db.ownerDatabase.rows(
    {
      name: 'test.domain',
      text: `INSERT INTO nodes.domain (system, organisation_id, node_id, created_at) VALUES ($1, $2, $3, now())`,
    },
    [what.system, ORGANISATION, what.nodeId],
  );
}

/** A Patient for tests. The cast stands for the validation that the door does. */
export function person(fields: {
  readonly key?: [system: string, value: string];
  readonly given?: string;
  readonly family?: string;
  readonly birthDate?: string;
  readonly gender?: Patient['gender'];
  readonly phone?: string;
  readonly more?: Partial<Patient>;
}): ValidPatient {
  const { key, given, family, birthDate, gender, phone, more } = fields;
  return {
    resourceType: 'Patient',
    ...(key ? { identifier: [{ system: key[0], value: key[1] }] } : {}),
    ...(given || family ? { name: [{ ...(given ? { given: [given] } : {}), ...(family ? { family } : {}) }] } : {}),
    ...(birthDate ? { birthDate } : {}),
    ...(gender ? { gender } : {}),
    ...(phone ? { telecom: [{ system: 'phone', value: phone }] } : {}),
    ...more,
  };
}
