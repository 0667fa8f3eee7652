/**
 * A load generator that costs little itself: raw HTTP/1.1 over keep-alive TLS connections, one request in flight on each.
 * Bounded in time and count, loopback only.
 */
import { connect, type TLSSocket } from 'node:tls';

export interface Target {
  readonly port: number;
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface RequestToSend {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
  /** Of the body and of the answer; JSON unless said otherwise. */
  readonly format?: 'json' | 'xml';
}

export interface Series {
  readonly connections: number;
  readonly seconds: number;
  /** Requests in all; the series ends when they are used up, or when the time is over. */
  readonly next: () => RequestToSend | undefined;
  readonly expect: readonly number[];
}

export interface Measured {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

export async function measure(target: Target, series: Series): Promise<Measured> {
  const latencies: number[] = [];
  const started = performance.now();
  const end = started + series.seconds * 1000;
  const lanes = await Promise.all(Array.from({ length: series.connections }, () => openLane(target)));
  const from = performance.now();
  try {
    await Promise.all(lanes.map((lane) => runLane(lane, { ...series, end, latencies })));
  } finally {
    for (const lane of lanes) lane.socket.destroy();
  }
  const seconds = (performance.now() - from) / 1000;
  latencies.sort((x, y) => x - y);
  const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return {
    requests: latencies.length,
    perSecond: latencies.length / seconds,
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
  };
}

async function runLane(
  lane: Lane,
  series: Series & { readonly end: number; readonly latencies: number[] },
): Promise<void> {
  while (performance.now() < series.end) {
    const request = series.next();
    if (!request) return;
    const before = performance.now();
    const { status, body } = await lane.send(request);
    if (!series.expect.includes(status)) {
      throw new Error(`${request.method} ${request.path.split('?')[0]} answered ${status}: ${body.slice(0, 400)}`);
    }
    series.latencies.push(performance.now() - before);
  }
}

interface Lane {
  readonly socket: TLSSocket;
  send(request: RequestToSend): Promise<{ status: number; body: string }>;
}

async function openLane({ port, ca, cert, key }: Target): Promise<Lane> {
  const socket = connect({
    host: '127.0.0.1',
    port,
    servername: 'localhost',
    ca,
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  let buffered: Buffer = Buffer.alloc(0);
  let waiting:
    | { resolve: (answer: { status: number; body: string }) => void; reject: (error: Error) => void }
    | undefined;
  socket.on('data', (chunk: Buffer) => {
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
    const answer = takeAnswer(buffered);
    if (!answer) return;
    buffered = buffered.subarray(answer.bytes);
    waiting?.resolve(answer);
    waiting = undefined;
  });
  const fail = (error?: Error) => waiting?.reject(error ?? new Error('the server closed the connection'));
  socket.on('error', fail);
  socket.on('close', () => fail());
  return {
    socket,
    send({ method, path, body, format = 'json' }) {
      const type = `application/fhir+${format}`;
      const head = `${method} ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nAccept: ${type}\r\n`;
      const entity =
        body === undefined
          ? '\r\n'
          : `Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(head + entity);
      });
    },
  };
}

/** One whole answer from the front of the bytes, if it is there. Content-Length only: neither server under test chunks. */
function takeAnswer(bytes: Buffer): { status: number; body: string; bytes: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = bytes.toString('latin1', 0, end);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined && !head.startsWith('HTTP/1.1 204')) throw new Error('an answer without Content-Length');
  const total = end + 4 + Number(length ?? 0);
  if (bytes.length < total) return undefined;
  return { status: Number(head.slice(9, 12)), body: bytes.toString('utf8', end + 4, total), bytes: total };
}
