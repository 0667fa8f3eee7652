/** The nodes' door with everything behind it: TLS, certificates, FHIR, registry, sealed store, audit, PostgreSQL. */
import { newId } from '../../src/crypto/index.ts';
import { decideAccess } from '../../src/features/identity/index.ts';
import { fhirRoutes } from '../../src/features/registry/index.ts';
import type { Clock } from '../../src/kernel/time.ts';
import { createDoor, type Refusal, type RouteDeclaration } from '../../src/platform/http/index.ts';
import { type KeyMaterial, newLeafKey, nodesTls } from '../../src/platform/tls/index.ts';
import { operator } from './nodes.ts';
import { type RegistryFixture, registryFixture } from './registry.ts';
import { type Answer, type ClientRequest, fixedTls, send } from './tls.ts';

export interface FhirDoor {
  readonly fixture: RegistryFixture;
  /** Everything the door logged, recorded as refused or counted, as text: nothing of a client may be in it. */
  traces(): string;
  newNode(domain: string): Promise<KeyMaterial>;
  readonly port: number;
  readonly ca: string;
  send(identity: KeyMaterial, what: ClientRequest): Promise<Answer>;
  close(): Promise<void>;
}

export async function fhirDoor(
  shape: (routes: readonly RouteDeclaration[], clock: Clock) => readonly RouteDeclaration[] = (routes) => routes,
): Promise<FhirDoor> {
  const fixture = await registryFixture();
  const { nodes, clock } = fixture;
  // Certificates are made by this clock and checked by the machine's.
  clock.forward(Date.now() - clock.nowMs());
  await nodes.start();
  const traces: unknown[] = [];
  const key = await newLeafKey();
  const certificate = await nodes.authorities.signServerCertificate(key.spki, ['localhost']);
  const log = (fields: object, message: string): void => void traces.push([fields, message]);
  const door = createDoor({
    name: 'nodes',
    routes: shape(
      fhirRoutes({
        registry: fixture.registry,
        audit: fixture.audit,
        keyRing: fixture.keyRing,
        domains: nodes.domains,
        clock,
        softwareVersion: '0.0.0-test',
      }),
      clock,
    ),
    hostNames: ['localhost'],
    tls: fixedTls(nodesTls([{ key: key.pem, certificate }], await nodes.authorities.trusted())),
    authenticate: ({ peer }) => nodes.authenticateNode(peer),
    decideAccess,
    recordRefusal: async (refusal) => {
      traces.push(withoutActor(refusal));
      await fixture.audit.recordRefusal(refusal);
    },
    clock,
    newRequestId: newId,
    log: { info: log, warn: log, error: log },
    observe: (sample) => traces.push(sample),
  });
  const { port } = await door.listen({ host: '127.0.0.1', port: 0 });
  const ca = await nodes.authorities.rootsPem();
  let number = 0;
  return {
    fixture,
    port,
    ca,
    traces: () => JSON.stringify(traces, (_key, value: unknown) => (value instanceof Error ? `${value.stack}` : value)),
    async newNode(domain) {
      number += 1;
      const { files } = await nodes.addNode(operator, { name: `Node ${number}`, domain });
      return { certificate: files['node.crt'], key: files['node.key'] ?? '' };
    },
    send: (identity, what) => send({ port, ca, identity }, what),
    async close() {
      await door.close(100);
      await nodes.stop();
      await fixture.close();
    },
  };
}

const withoutActor = ({ actor: _actor, problem, ...rest }: Refusal): unknown => ({
  ...rest,
  problem: [problem.stack, problem.publicDetail, problem.options],
});
