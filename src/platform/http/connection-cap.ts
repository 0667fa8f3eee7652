import type { Server, Socket } from 'node:net';
import { addressGroup, plainAddress } from './address.ts';

/** Open connections to one door, at most. */
export interface ConnectionBounds {
  readonly connectionsMax: number;
  /** Of one IPv4 address or IPv6 /56. */
  readonly connectionsPerAddressMax: number;
}

/** How many connections a process has open now: name of the door, whose (an address group; empty for all together), how many. */
export type OpenConnections = readonly (readonly [door: string, group: string, count: number])[];

/** All connections of a process, counted together with those of the processes that share the doors with it. */
export interface Connections {
  /** Ends connections of `server` beyond `bounds`, before any TLS work is spent on them. */
  cap(server: Server, door: string, bounds: ConnectionBounds): void;
  /** What another process has open now; what it told of the same door and group before is replaced. */
  learn(process: number, open: OpenConnections): void;
  /** That process has ended, and its connections with it. */
  forget(process: number): void;
}

interface ConnectionsOptions {
  /** Told at most every 50 ms what has changed here, where other processes have to know. Missing: nobody has to. */
  readonly share?: (open: OpenConnections) => void;
}

/** Meanwhile each process keeps the bounds by itself; what is too much altogether is ended when it is known. */
const SHARE_MS = 50;
const ALL = '';

interface Door {
  readonly name: string;
  readonly bounds: ConnectionBounds;
  /** By group, in the order in which they came. */
  readonly open: Map<string, Set<Socket>>;
}

/** Counts open connections; several processes tell each other, so that `--workers N` does not mean N times as many. */
export function createConnections({ share }: ConnectionsOptions = {}): Connections {
  const doors = new Map<string, Door>();
  /** By process, then by `key`. */
  const others = new Map<number, Map<string, number>>();
  const change = createTelling(share);

  function elsewhere(door: string, group: string): number {
    let sum = 0;
    for (const counts of others.values()) sum += counts.get(key(door, group)) ?? 0;
    return sum;
  }
  /** False where there are enough already. */
  function fits(door: Door, group: string): boolean {
    return here(door, group) + elsewhere(door.name, group) < boundOf(door, group);
  }
  function add(door: Door, group: string, socket: Socket): void {
    const sockets = door.open.get(group) ?? new Set();
    door.open.set(group, sockets.add(socket));
    change(door, group);
  }
  function take(door: Door, group: string, socket: Socket): void {
    const sockets = door.open.get(group);
    sockets?.delete(socket);
    if (sockets?.size === 0) door.open.delete(group);
    change(door, group);
  }
  /** Each process ends its share of what is too much, the newest first: it would have been refused, had this been known. */
  function endSurplus(door: Door, group: string): void {
    const own = here(door, group);
    const all = own + elsewhere(door.name, group);
    const surplus = all - boundOf(door, group);
    if (own === 0 || surplus <= 0) return;
    const newest = [...(door.open.get(group) ?? [])].slice(-Math.ceil((surplus * own) / all));
    for (const socket of newest) socket.destroy();
  }

  return {
    cap(server, name, bounds) {
      const door: Door = { name, bounds, open: new Map() };
      doors.set(name, door);
      server.prependListener('connection', (socket: Socket) => {
        const group = addressGroup(plainAddress(socket.remoteAddress));
        if (!fits(door, ALL) || !fits(door, group)) return void socket.destroy();
        for (const one of [ALL, group]) add(door, one, socket);
        socket.once('close', () => {
          for (const one of [ALL, group]) take(door, one, socket);
        });
      });
    },
    learn(process, open) {
      const counts = others.get(process) ?? new Map<string, number>();
      others.set(process, counts);
      for (const [name, group, count] of open) {
        if (count > 0) counts.set(key(name, group), count);
        else counts.delete(key(name, group));
        const door = doors.get(name);
        if (door !== undefined) endSurplus(door, group);
      }
    },
    forget(process) {
      others.delete(process);
    },
  };
}

/** What has changed is told together, a moment later. */
function createTelling(share: ConnectionsOptions['share']): (door: Door, group: string) => void {
  let changed = new Map<string, readonly [door: Door, group: string]>();
  let timer: NodeJS.Timeout | undefined;
  function tell(): void {
    timer = undefined;
    const now = [...changed.values()].map(([door, group]) => [door.name, group, here(door, group)] as const);
    changed = new Map();
    share?.(now);
  }
  return (door, group) => {
    if (share === undefined) return;
    changed.set(key(door.name, group), [door, group]);
    timer ??= setTimeout(tell, SHARE_MS).unref();
  };
}

function here(door: Door, group: string): number {
  return door.open.get(group)?.size ?? 0;
}

function boundOf({ bounds }: Door, group: string): number {
  return group === ALL ? bounds.connectionsMax : bounds.connectionsPerAddressMax;
}

function key(door: string, group: string): string {
  return `${door} ${group}`;
}
