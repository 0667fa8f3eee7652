import { Agent } from 'node:https';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type NodesDoor, nodesDoor } from '../support/nodes-door.ts';

/** P15 on the nodes' door: what one connection proved never counts for another one. */
let door: NodesDoor;
beforeAll(async () => {
  door = await nodesDoor();
});
afterAll(() => door.close());

test('one node’s connection never answers for another’s, however they interleave', async () => {
  const both = [await door.newNode(), await door.newNode()];
  const agents = both.map(() => new Agent({ keepAlive: true, maxSockets: 4 }));
  const asked = Array.from({ length: 200 }, (_, i) => i % 3);
  const answers = await Promise.all(
    asked.map((who) => {
      const agent = agents[who];
      return agent === undefined ? door.read() : door.read(both[who]?.identity, { agent });
    }),
  );
  for (const [i, who] of asked.entries()) {
    if (who === 2) expect(answers[i]?.status).toBe(401);
    else expect(answers[i]?.json()).toEqual({ who: both[who]?.node.name });
  }
  for (const agent of agents) agent.destroy();
});
