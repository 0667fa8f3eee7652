/** The nodes' door in a process of its own, with certificates the bench made: TLS as it is in an installation, one small route. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { newId } from '../../src/crypto/index.ts';
import { createDoor, noneBecause, publicBecause, route } from '../../src/platform/http/index.ts';
import { nodesTls } from '../../src/platform/tls/index.ts';

const [directory = ''] = process.argv.slice(2);
const read = (name: string) => readFileSync(`${directory}/${name}`, 'utf8');
const tls = nodesTls([{ certificate: read('server.crt'), key: read('server.key') }], [read('ca.crt')]);
const door = createDoor({
  name: 'nodes',
  routes: [
    route({
      doors: ['nodes'],
      method: 'GET',
      path: '/',
      access: publicBecause('exists in this bench only'),
      audit: noneBecause('exists in this bench only'),
      input: { params: z.object({}), query: z.object({}), body: 'none' },
      output: 'bytes',
      limits: { bodyBytesMax: 0, perMinute: 1_000_000 },
      handle: async () => ({ status: 200, body: Buffer.from('ok'), audited: null }),
    }),
  ],
  hostNames: ['localhost'],
  tls: { current: () => tls, onChange: () => () => undefined },
  authenticate: () => ({ kind: 'anonymous', permissions: new Set() }),
  decideAccess: () => undefined,
  recordRefusal: async () => undefined,
  clock: { nowMs: Date.now },
  newRequestId: newId,
  log: console,
  connectionLimits: { connectionsPerAddressMax: 10_000, connectionsMax: 10_000 },
});
const { port } = await door.listen({ host: '127.0.0.1', port: 0 });
process.send?.({ port });
process.once('disconnect', () => void door.close(0));
