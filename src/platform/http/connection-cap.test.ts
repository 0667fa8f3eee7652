import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { type Connections, createConnections, type OpenConnections } from './connection-cap.ts';

const BOUNDS = { connectionsMax: 12, connectionsPerAddressMax: 8 };
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A server on loopback that counts with `connections`; how many of its connections live. */
async function door(connections: Connections, name = 'nodes', bounds = BOUNDS) {
  const living = new Set<Socket>();
  let arrived = 0;
  const server: Server = createServer((socket) => {
    arrived += 1;
    if (socket.destroyed) return;
    living.add(socket);
    socket.on('error', () => undefined).once('close', () => living.delete(socket));
  });
  connections.cap(server, name, bounds);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = (server.address() as { port: number }).port;
  ends.push(() => void server.close());
  /** Opens `count` connections one after the other, and waits until the server has looked at each. They live until the test ends, or it ends them. */
  async function open(count: number): Promise<Socket[]> {
    const before = arrived;
    const sockets: Socket[] = [];
    for (let i = 0; i < count; i++) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined).resume();
      ends.push(() => socket.destroy());
      await new Promise((resolve) => socket.once('connect', resolve));
      sockets.push(socket);
    }
    await expect.poll(() => arrived).toBe(before + count);
    return sockets;
  }
  return { open, living: () => living.size };
}

/** Two processes that tell each other, as the primary of `--workers 2` passes it on. */
function pair() {
  const told: OpenConnections[] = [];
  const first: Connections = createConnections({
    share: (open) => {
      told.push(open);
      second.learn(1, open);
    },
  });
  const second: Connections = createConnections({ share: (open) => first.learn(2, open) });
  return { first, second, told };
}

it('one process ends what is beyond its bounds, and takes others when there is room again', async () => {
  const { open, living } = await door(createConnections());
  const sockets = await open(10);
  await expect.poll(living).toBe(8);
  sockets[0]?.destroy();
  await expect.poll(living).toBe(7);
  await open(3);
  await expect.poll(living).toBe(8);
});

it('two processes have the bounds once, not once each', async () => {
  const { first, second, told } = pair();
  const [one, other] = [await door(first), await door(second)];
  const mine = await one.open(6);
  await expect.poll(() => told.flat()).toContainEqual(['nodes', '127.0.0.1', 6]);
  await other.open(6);
  await expect.poll(other.living).toBe(2);
  for (const socket of mine) socket.destroy();
  await expect.poll(() => told.flat()).toContainEqual(['nodes', '127.0.0.1', 0]);
  await other.open(5);
  await expect.poll(other.living).toBe(7);
});

it('what came everywhere at one moment is ended when it is known, each its share, and never all of it', async () => {
  const { first, second } = pair();
  const [one, other] = [await door(first), await door(second)];
  await Promise.all([one.open(8), other.open(8)]);
  await expect.poll(() => one.living() + other.living()).toBeLessThanOrEqual(8);
  expect(one.living() + other.living()).toBeGreaterThan(0);
});

it('all addresses together have a bound too, and doors count each for itself', async () => {
  const connections = createConnections();
  const nodes = await door(connections);
  connections.learn(7, [['nodes', '', 9]]);
  await nodes.open(5);
  await expect.poll(nodes.living).toBe(3);
  const users = await door(connections, 'users');
  await users.open(5);
  await expect.poll(users.living).toBe(5);
});

it('the connections of a process that has ended are forgotten', async () => {
  const connections = createConnections();
  const { open, living } = await door(connections);
  connections.learn(7, [['nodes', '127.0.0.1', 8]]);
  await open(2);
  await expect.poll(living).toBe(0);
  connections.forget(7);
  await open(2);
  await expect.poll(living).toBe(2);
});
