import type { Agent } from 'node:https';
import { newId } from '../../src/crypto/index.ts';
import type { Node } from '../../src/features/nodes/index.ts';
import { createDoor, type Refusal } from '../../src/platform/http/index.ts';
import { event, permission } from '../../src/platform/http/route.ts';
import { type KeyMaterial, newLeafKey, nodesTls } from '../../src/platform/tls/index.ts';
import { type TestDatabase, testDatabase } from './database.ts';
import { audited, NO_INPUT, PLENTY, testRoute } from './door.ts';
import { type NodesFixture, nodesFixture, operator } from './nodes.ts';
import { type Answer, fixedTls, send } from './tls.ts';

/** A nodes' door with the real registry of nodes behind it, PostgreSQL and all; its one route answers who asked. */
export interface NodesDoor {
  readonly db: TestDatabase;
  readonly fixture: NodesFixture;
  /** Refusals as the door reported them. */
  readonly refusals: Refusal[];
  /** How often a handler was reached. */
  handled(): number;
  newNode(): Promise<{ readonly node: Node; readonly identity: KeyMaterial }>;
  read(identity?: KeyMaterial, options?: { readonly agent?: Agent; readonly path?: string }): Promise<Answer>;
  close(): Promise<void>;
}

export async function nodesDoor(): Promise<NodesDoor> {
  const db = await testDatabase();
  const fixture = nodesFixture(db.database);
  const { nodes } = fixture;
  await nodes.start();
  const refusals: Refusal[] = [];
  let handled = 0;
  let number = 0;
  const key = await newLeafKey();
  const certificate = await nodes.authorities.signServerCertificate(key.spki, ['localhost']);
  const door = createDoor({
    name: 'nodes',
    routes: [
      testRoute({
        doors: ['nodes'],
        path: '/fhir/Patient/:id',
        access: permission('client.read', { scope: 'read' }),
        audit: event('client.read'),
        input: NO_INPUT,
        output: 'fhir',
        limits: PLENTY,
        handle: async ({ actor }) => {
          handled += 1;
          const who = actor.principal.kind === 'node' ? actor.principal.name : actor.principal.kind;
          return { status: 200, body: { who }, audited: audited() };
        },
      }),
      // Public routes of this door need a certificate as well.
      testRoute({ doors: ['nodes'], path: '/fhir/metadata', output: 'fhir' }),
    ],
    hostNames: ['localhost'],
    tls: fixedTls(nodesTls([{ key: key.pem, certificate }], await nodes.authorities.trusted())),
    authenticate: ({ peer, origin, authorization }) =>
      nodes.authenticateNode(peer, { address: origin.address, authorization }),
    decideAccess: () => undefined,
    recordRefusal: async (refusal) => void refusals.push(refusal),
    clock: fixture.clock,
    newRequestId: newId,
    log: console,
  });
  const { port } = await door.listen({ host: '127.0.0.1', port: 0 });
  const client = { port, ca: await nodes.authorities.rootsPem() };
  return {
    db,
    fixture,
    refusals,
    handled: () => handled,
    async newNode() {
      number += 1;
      const wanted = { name: `Node ${number}`, domain: `urn:attack:${number}` };
      const { node, files } = await nodes.addNode(operator, wanted);
      return { node, identity: { certificate: files['node.crt'], key: files['node.key'] ?? '' } };
    },
    read: (identity, { agent, path = '/fhir/Patient/1' } = {}) =>
      send(
        { ...client, ...(identity === undefined ? {} : { identity }), ...(agent === undefined ? {} : { agent }) },
        { path },
      ),
    async close() {
      await door.close(100);
      await nodes.stop();
      await db.close();
    },
  };
}
