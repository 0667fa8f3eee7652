import pg from 'pg';
import { becomeRole, type Connection, clientConfig } from './connection.ts';
import { databaseFailure } from './failure.ts';

export interface Listener {
  listen(channel: string, onPayload: (payload: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

const RECONNECT_MS = 1_000;
const CHANNEL = /^[a-z_][a-z0-9_]*$/;
type Acts = Map<string, Set<(payload: string) => void>>;

/**
 * One dedicated connection for LISTEN, made on the first subscription. When it breaks it is made again every second; since
 * notifications may have been missed meanwhile, every subscriber is called once with the payload '' after a reconnect.
 */
export function createListener(connection: Connection, applicationName: string): Listener {
  const subscribers: Acts = new Map();
  const line = createLine(connection, applicationName, subscribers);

  async function stopListening(channel: string, onPayload: (payload: string) => void): Promise<void> {
    const acts = subscribers.get(channel);
    acts?.delete(onPayload);
    if (acts?.size !== 0) return;
    subscribers.delete(channel);
    // A broken connection listens to nothing any more, so a failure here changes nothing.
    await line
      .current()
      ?.query(`UNLISTEN ${channel}`)
      .catch(() => undefined);
  }

  return {
    async listen(channel, onPayload) {
      if (!CHANNEL.test(channel)) throw new RangeError('A channel is a plain lower-case identifier');
      const acts = subscribers.get(channel) ?? new Set();
      subscribers.set(channel, acts.add(onPayload));
      try {
        await (await line.connected()).query(`LISTEN ${channel}`);
      } catch (error) {
        await stopListening(channel, onPayload);
        throw databaseFailure(error, `LISTEN ${channel}`);
      }
      return () => stopListening(channel, onPayload);
    },
    async close() {
      subscribers.clear();
      await line.close();
    },
  };
}

interface Line {
  /** The connection, made if there is none. */
  connected(): Promise<pg.Client>;
  current(): pg.Client | undefined;
  close(): Promise<void>;
}

function createLine(connection: Connection, applicationName: string, subscribers: Acts): Line {
  let client: pg.Client | undefined;
  let connecting: Promise<pg.Client> | undefined;
  let retry: NodeJS.Timeout | undefined;
  let closed = false;

  function lost(which: pg.Client): void {
    if (client !== which) return;
    client = undefined;
    scheduleReconnect();
  }

  function scheduleReconnect(): void {
    if (closed || subscribers.size === 0 || retry !== undefined) return;
    retry = setTimeout(() => {
      retry = undefined;
      connected().then(() => tellAll(subscribers), scheduleReconnect);
    }, RECONNECT_MS);
    retry.unref();
  }

  async function connected(): Promise<pg.Client> {
    if (client !== undefined) return client;
    connecting ??= open(connection, applicationName, subscribers, lost)
      .then((made) => {
        client = made;
        return made;
      })
      .finally(() => {
        connecting = undefined;
      });
    return await connecting;
  }

  return {
    connected,
    current: () => client,
    async close() {
      closed = true;
      clearTimeout(retry);
      await connecting?.catch(() => undefined);
      const last = client;
      client = undefined;
      await last?.end();
    },
  };
}

async function open(
  connection: Connection,
  applicationName: string,
  subscribers: Acts,
  lost: (client: pg.Client) => void,
): Promise<pg.Client> {
  const settings = { applicationName: `${applicationName} listen`, statementTimeoutMs: 0 };
  const client = new pg.Client(clientConfig(connection, settings));
  client.on('notification', (message) => {
    for (const act of subscribers.get(message.channel) ?? []) act(message.payload ?? '');
  });
  client.on('error', () => lost(client));
  client.on('end', () => lost(client));
  await client.connect();
  const setRole = becomeRole(connection);
  if (setRole !== undefined) await client.query(setRole);
  for (const channel of subscribers.keys()) await client.query(`LISTEN ${channel}`);
  return client;
}

function tellAll(subscribers: Acts): void {
  for (const acts of subscribers.values()) for (const act of acts) act('');
}
