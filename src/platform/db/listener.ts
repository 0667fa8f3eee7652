import pg from 'pg';
import { becomeRole, type Connection, clientConfig } from './connection.ts';
import { databaseFailure } from './failure.ts';

export interface Listener {
  listen(channel: string, onPayload: (payload: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

const RECONNECT_MS = 1_000;
const CHANNEL = /^[a-z_][a-z0-9_]*$/;

/**
 * One dedicated connection for LISTEN, made on the first subscription. When it breaks it is made again every second; since
 * notifications may have been missed meanwhile, every subscriber is called once with the payload '' after a reconnect.
 */
export function createListener(connection: Connection, applicationName: string): Listener {
  const subscribers = new Map<string, Set<(payload: string) => void>>();
  let client: pg.Client | undefined;
  let connecting: Promise<pg.Client> | undefined;
  let retry: NodeJS.Timeout | undefined;
  let closed = false;

  async function connect(): Promise<pg.Client> {
    const made = new pg.Client(
      clientConfig(connection, { applicationName: `${applicationName} listen`, statementTimeoutMs: 0 }),
    );
    made.on('notification', (message) => {
      for (const act of subscribers.get(message.channel) ?? []) act(message.payload ?? '');
    });
    made.on('error', () => lost(made));
    made.on('end', () => lost(made));
    await made.connect();
    const setRole = becomeRole(connection);
    if (setRole !== undefined) await made.query(setRole);
    for (const channel of subscribers.keys()) await made.query(`LISTEN ${channel}`);
    client = made;
    return made;
  }

  function lost(which: pg.Client): void {
    if (client !== which) return;
    client = undefined;
    scheduleReconnect();
  }

  function scheduleReconnect(): void {
    if (closed || subscribers.size === 0 || retry !== undefined) return;
    retry = setTimeout(() => {
      retry = undefined;
      connected().then(
        () => {
          for (const acts of subscribers.values()) for (const act of acts) act('');
        },
        () => scheduleReconnect(),
      );
    }, RECONNECT_MS);
    retry.unref();
  }

  async function connected(): Promise<pg.Client> {
    if (client !== undefined) return client;
    connecting ??= connect().finally(() => {
      connecting = undefined;
    });
    return await connecting;
  }

  async function stopListening(channel: string, onPayload: (payload: string) => void): Promise<void> {
    const acts = subscribers.get(channel);
    acts?.delete(onPayload);
    if (acts?.size !== 0) return;
    subscribers.delete(channel);
    // A broken connection listens to nothing any more, so a failure here changes nothing.
    await client?.query(`UNLISTEN ${channel}`).catch(() => undefined);
  }

  return {
    async listen(channel, onPayload) {
      if (!CHANNEL.test(channel)) throw new RangeError('A channel is a plain lower-case identifier');
      const acts = subscribers.get(channel) ?? new Set();
      subscribers.set(channel, acts.add(onPayload));
      try {
        await (await connected()).query(`LISTEN ${channel}`);
      } catch (error) {
        await stopListening(channel, onPayload);
        throw databaseFailure(error, `LISTEN ${channel}`);
      }
      return () => stopListening(channel, onPayload);
    },
    async close() {
      closed = true;
      clearTimeout(retry);
      subscribers.clear();
      await client?.end();
      client = undefined;
    },
  };
}
