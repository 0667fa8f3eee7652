import { newId } from '../../crypto/index.ts';
import { isProblem } from '../../kernel/problem.ts';
import type { Actor, Principal } from '../../kernel/principal.ts';
import {
  addressGroup,
  type Connections,
  type LiveTls,
  type PeerCertificate,
  plainAddress,
} from '../../platform/http/index.ts';
import {
  receiveOverTls,
  receiveOverUdp,
  type ReceivedMessage,
  type SyslogReceiver,
} from '../../platform/syslog/index.ts';
import type { Audit } from '../audit/index.ts';
import type { Repository } from './receiver.ts';

/** Doors for other systems' audit events over syslog. */
export interface SyslogDoorsOptions {
  readonly host: string;
  /** Undefined: that door stays shut. */
  readonly tlsPort: number | undefined;
  readonly udpPort: number | undefined;
  readonly tls: LiveTls;
  /** Where open connections are counted; missing: here alone. */
  readonly connections?: Connections;
  readonly authenticateNode: (peer: PeerCertificate | undefined, address: string) => Promise<Principal>;
  readonly repository: Repository;
  readonly audit: Pick<Audit, 'recordNow'>;
  readonly onFailure: (error: unknown) => void;
  /** For each datagram that was lost here, because too many came. Missing: nobody counts them. */
  readonly onDropped?: () => void;
}

/** One message and more than anybody should send. */
const MESSAGE_BYTES_MAX = 1_048_576;
const CONNECTIONS_MAX = 500;
const CONNECTIONS_PER_ADDRESS_MAX = 64;
const HANDSHAKE_MS = 10_000;
const IDLE_MS = 3_600_000;
/** Datagrams that wait for the database at most, and their bytes; what comes on top is lost, as datagrams may be. */
const WAITING_MAX = 10_000;
const WAITING_BYTES_MAX = 16_777_216;
/** More than the systems of a large hospital write; what keeping them costs leaves most of a processor to everything else. */
const DATAGRAMS_PER_SECOND_MAX = 500;
/** 8 kB for each of these. What a datagram costs to read and keep grows with its bytes, and it may have 64 kB. */
const DATAGRAM_BYTES_PER_SECOND_MAX = 4_194_304;
const PER_BATCH = 500;
const MINUTE_MS = 60_000;
/** Refused networks that are told apart within a minute. */
const REFUSALS_TOLD_MAX = 500;

export async function openSyslogDoors(
  options: SyslogDoorsOptions,
): Promise<{ readonly ports: readonly number[]; close(): Promise<void> }> {
  const open: SyslogReceiver[] = [];
  const refusals = createRefusals(options);
  const datagrams = createDatagrams(options);
  if (options.tlsPort !== undefined) {
    open.push(
      await receiveOverTls<Actor>({
        host: options.host,
        port: options.tlsPort,
        tls: options.tls,
        sizeBytesMax: MESSAGE_BYTES_MAX,
        connectionsMax: CONNECTIONS_MAX,
        connectionsPerAddressMax: CONNECTIONS_PER_ADDRESS_MAX,
        connections: options.connections,
        handshakeTimeoutMs: HANDSHAKE_MS,
        idleTimeoutMs: IDLE_MS,
        async admit({ peer, address }) {
          try {
            const principal = await options.authenticateNode(peer, address);
            return actorOf(principal, address);
          } catch (error) {
            refusals.refused(address, isProblem(error) ? error.code : 'internal');
            throw error;
          }
        },
        take: async (actor, messages) => {
          await options.repository.keep(actor, messages);
        },
        refused: ({ address }, because) => refusals.refused(address, because),
      }),
    );
  }
  if (options.udpPort !== undefined) {
    open.push(
      await receiveOverUdp({
        host: options.host,
        port: options.udpPort,
        perSecondMax: DATAGRAMS_PER_SECOND_MAX,
        bytesPerSecondMax: DATAGRAM_BYTES_PER_SECOND_MAX,
        take: datagrams.take,
        dropped: options.onDropped ?? (() => undefined),
      }),
    );
  }
  return {
    ports: open.map(({ port }) => port),
    async close() {
      await Promise.all(open.map((one) => one.close()));
      await Promise.all([datagrams.drained(), refusals.stop()]);
    },
  };
}

const actorOf = (principal: Principal, address: string): Actor => ({
  principal,
  origin: { door: 'nodes', address, requestId: newId() },
});

/** Over UDP nobody proves who they are. */
const UNPROVEN: Principal = { kind: 'anonymous', permissions: new Set() };

/** Keeps datagrams in batches; while one is written the next gathers. */
function createDatagrams({ repository, onFailure }: SyslogDoorsOptions) {
  let waiting: ReceivedMessage[] = [];
  let waitingBytes = 0;
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, PER_BATCH);
      waiting = waiting.slice(PER_BATCH);
      const [first] = batch;
      waitingBytes -= batch.reduce((bytes, one) => bytes + one.message.byteLength, 0);
      await repository.keep(actorOf(UNPROVEN, first?.address ?? 'unknown'), batch).catch(onFailure);
    }
    working = undefined;
  }

  return {
    take(message: ReceivedMessage): boolean {
      const bytes = waitingBytes + message.message.byteLength;
      if (waiting.length >= WAITING_MAX || bytes > WAITING_BYTES_MAX) return false;
      waitingBytes = bytes;
      waiting.push(message);
      working ??= new Promise((resolve) => setImmediate(resolve)).then(work);
      return true;
    },
    async drained(): Promise<void> {
      await working;
    },
  };
}

/** Who is refused, once a minute per address and reason: a flood must not fill the log. */
function createRefusals({ audit, onFailure }: SyslogDoorsOptions) {
  const told = new Set<string>();
  const recording = new Set<Promise<void>>();
  const timer = setInterval(() => told.clear(), MINUTE_MS);
  timer.unref();
  return {
    refused(address: string, because: string): void {
      // A network counts as one, and beyond so many networks all the others as one: an IPv6 line has more addresses than a log has room.
      const known = `${addressGroup(plainAddress(address))} ${because}`;
      const key = told.has(known) || told.size < REFUSALS_TOLD_MAX ? known : `* ${because}`;
      if (told.has(key)) return;
      told.add(key);
      const recorded = audit
        .recordNow([
          {
            actor: actorOf(UNPROVEN, address),
            event: 'audit.sender-refused',
            action: 'E',
            outcome: 'minor-failure',
            reason: because,
          },
        ])
        .then(() => undefined, onFailure)
        .finally(() => recording.delete(recorded));
      recording.add(recorded);
    },
    /** Waits for what is being recorded. */
    async stop(): Promise<void> {
      clearInterval(timer);
      await Promise.all(recording);
    },
  };
}
