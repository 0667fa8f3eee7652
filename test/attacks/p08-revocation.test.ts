import { Agent } from 'node:https';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type NodesDoor, nodesDoor } from '../support/nodes-door.ts';
import { operator } from '../support/nodes.ts';

/** P08: a revoked node gets no other answer from its next request on. */
let door: NodesDoor;
beforeAll(async () => {
  door = await nodesDoor();
});
afterAll(() => door.close());

test('a revocation takes effect on a connection that is already open', async () => {
  const { node, identity } = await door.newNode();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const first = await door.read(identity, { agent });
  expect(first.status).toBe(200);
  await door.fixture.nodes.revokeNode(operator, { id: node.id }, 'lost');
  const second = await door.read(identity, { agent });
  expect([second.status, second.text.includes('node-revoked')]).toEqual([403, true]);
  // The same TCP connection: one socket was opened for both.
  expect(Object.values(agent.freeSockets).flat()).toHaveLength(1);
  agent.destroy();
});
