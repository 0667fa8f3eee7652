import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below what systems give to outgoing connections (Linux 32768, IANA 49152): nobody is handed one of these by chance meanwhile. */
const FIRST = 15_000;
const LAST = 31_999;

/** Ports that nobody listens on, for servers that must know theirs beforehand. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < count; tries++) {
    if (tries > 200) throw new Error('no free ports were found');
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1));
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  const outcome = Promise.race([
    once(probe, 'listening').then(() => true),
    once(probe, 'error').then(() => false),
  ]).catch(() => false);
  probe.listen(port);
  const isListening = await outcome;
  if (isListening) await new Promise((resolve) => probe.close(resolve));
  return isListening;
}
