import type { Agent } from 'node:https';
import { newId } from '../../src/crypto/index.ts';
import type { Node, Nodes } from '../../src/features/nodes/index.ts';
import { decideAccess } from '../../src/features/identity/access.ts';
import { createDoor, type DoorOptions, type LiveTls, type Refusal } from '../../src/platform/http/index.ts';
import type { Outbound } from '../../src/platform/outbound/index.ts';
import { issueAuditReceipt } from '../../src/platform/http/audited.ts';
import { event, permission } from '../../src/platform/http/route.ts';
import { type KeyMaterial, newLeafKey, nodesTls } from '../../src/platform/tls/index.ts';
import { type TestDatabase, testDatabase } from './database.ts';
import { NO_INPUT, PLENTY, testRoute } from './door.ts';
import { type NodesFixture, nodesFixture, operator } from './nodes.ts';
import { type Answer, type ClientRequest, send } from './tls.ts';

/** A nodes' door with the real registry of nodes behind it, PostgreSQL and all; its one route answers who asked. */
export interface NodesDoor {
  readonly db: TestDatabase;
  readonly port: number;
  /** PEM. */
  readonly ca: string;
  readonly fixture: NodesFixture;
  /** Refusals as the door reported them. */
  readonly refusals: Refusal[];
  /** How often a handler was reached. */
  handled(): number;
  newNode(): Promise<{ readonly node: Node; readonly identity: KeyMaterial }>;
  read(identity?: KeyMaterial, options?: { readonly agent?: Agent; readonly path?: string }): Promise<Answer>;
  /** Any request; the client's certificate is optional. */
  send(what: ClientRequest, identity?: KeyMaterial, agent?: Agent): Promise<Answer>;
  close(): Promise<void>;
}

export interface NodesDoorOptions {
  readonly outbound?: Outbound;
  readonly fhirUrl?: string;
  readonly connectionLimits?: DoorOptions['connectionLimits'];
}

export async function nodesDoor(options: NodesDoorOptions = {}): Promise<NodesDoor> {
  const db = await testDatabase();
  const fixture = nodesFixture(db.database, options);
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
          return { status: 200, body: { who }, audited: issueAuditReceipt([{ event: 'client.read' }]) };
        },
      }),
      testRoute({
        doors: ['nodes'],
        method: 'POST',
        path: '/fhir/Patient',
        access: permission('client.write', { scope: 'feed' }),
        audit: event('client.create'),
        input: { ...NO_INPUT, body: 'bytes' },
        output: 'fhir',
        limits: { bodyBytesMax: 1_024, perMinute: 1_000 },
        handle: async () => ({ status: 201, body: {}, audited: issueAuditReceipt([{ event: 'client.create' }]) }),
      }),
      // What the feature itself serves: enrolment, renewal, tokens, lists of revoked certificates.
      ...nodes.routes,
      // Public routes of this door need a certificate as well.
      testRoute({ doors: ['nodes'], path: '/fhir/metadata', output: 'fhir' }),
    ],
    hostNames: ['localhost'],
    tls: await liveTls(nodes, { key: key.pem, certificate }),
    authenticate: ({ peer, origin, authorization }) =>
      nodes.authenticateNode(peer, { address: origin.address, authorization }),
    decideAccess,
    observe: nodes.calls.observe,
    recordRefusal: async (refusal) => void refusals.push(refusal),
    clock: fixture.clock,
    newRequestId: newId,
    log: console,
    ...(options.connectionLimits === undefined ? {} : { connectionLimits: options.connectionLimits }),
  });
  const { port } = await door.listen({ host: '127.0.0.1', port: 0 });
  const client = { port, ca: await nodes.authorities.rootsPem() };
  return {
    db,
    port,
    ca: client.ca,
    send: (what, identity, agent) => send({ ...client, ...(identity && { identity }), ...(agent && { agent }) }, what),
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

/** The door's TLS as in an installation: authorities that are added later are taken over. */
async function liveTls(nodes: Nodes, material: KeyMaterial): Promise<LiveTls> {
  let authorities = await nodes.clientAuthorities();
  const current = () => nodesTls([material], authorities);
  return {
    current,
    onChange: (apply) =>
      nodes.onTrustChanged(() => {
        const taken = nodes.clientAuthorities().then((now) => {
          authorities = now;
          apply(current());
        });
        // A change at the very end of a test finds the database closed already.
        taken.catch(() => undefined);
      }),
  };
}
