/** The HL7 port with everything behind it, and the plainest client there is: a TLS socket. */
import { connect, type TLSSocket } from 'node:tls';
import { createHl7Service } from '../../src/features/hl7v2/index.ts';
import type { IdentityRules } from '../../src/features/registry/index.ts';
import { createAliases } from '../../src/features/registry/index.ts';
import { createMllpServer, framed, type MllpLimits } from '../../src/platform/mllp/index.ts';
import { type KeyMaterial, newLeafKey, nodesTls } from '../../src/platform/tls/index.ts';
import { operator } from './nodes.ts';
import { type RegistryFixture, registryFixture } from './registry.ts';
import { fixedTls } from './tls.ts';

export interface Hl7Door {
  readonly f: RegistryFixture;
  readonly port: number;
  readonly ca: string;
  newNode(domain: string): Promise<{ readonly id: string; readonly identity: KeyMaterial }>;
  alias(alias: string, system: string): Promise<void>;
  /** Opens a connection; without an identity no certificate is shown. */
  open(identity: KeyMaterial | undefined): Promise<Hl7Line>;
  /** One message, one answer, on a connection of its own. */
  send(identity: KeyMaterial, message: string | Uint8Array): Promise<Answer>;
  close(): Promise<void>;
}

export interface Hl7Line {
  readonly socket: TLSSocket;
  /** Raw bytes as they are. */
  write(bytes: string | Uint8Array): void;
  /** The next frame, without its frame; undefined when the other side closed. */
  next(): Promise<string | undefined>;
  /** Resolves when the other side has closed. */
  closed(): Promise<void>;
  end(): void;
}

export interface Answer {
  readonly text: string;
  /** Segments by name, in order, split at `|`. */
  segments(name: string): string[][];
  /** MSA-1. */
  readonly ack: string;
}

export function answerOf(text: string): Answer {
  const lines = text.split('\r').filter((line) => line !== '');
  const segments = (name: string): string[][] =>
    lines.filter((line) => line.startsWith(`${name}|`)).map((line) => line.split('|'));
  return { text, segments, ack: segments('MSA')[0]?.[1] ?? '' };
}

export async function hl7Door(
  options: { readonly rules?: IdentityRules; readonly limits?: Partial<MllpLimits> } = {},
): Promise<Hl7Door> {
  const f = await registryFixture();
  f.clock.forward(Date.now() - f.clock.nowMs());
  await f.nodes.start();
  const aliases = createAliases({ database: f.db.database, clock: f.clock, audit: f.audit, domains: f.nodes.domains });
  const service = createHl7Service({
    registry: f.registry,
    nodes: f.nodes,
    aliases,
    identityRules: options.rules ?? 'plain',
    audit: f.audit,
    clock: f.clock,
    admitNetwork: async () => undefined,
    processingIds: ['P'],
    onFailure: (error) => {
      throw error;
    },
  });
  const key = await newLeafKey();
  const certificate = await f.nodes.authorities.signServerCertificate(key.spki, ['localhost', '127.0.0.1']);
  const server = createMllpServer({
    ...service,
    tls: fixedTls(nodesTls([{ key: key.pem, certificate }], await f.nodes.authorities.trusted())),
    ...(options.limits ? { limits: options.limits } : {}),
    onFailure: () => undefined,
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  const ca = await f.nodes.authorities.rootsPem();
  let number = 0;
  const open = (identity: KeyMaterial | undefined): Promise<Hl7Line> => openLine({ port, ca, identity });
  return {
    f,
    port,
    ca,
    async newNode(domain) {
      number += 1;
      const { node, files } = await f.nodes.addNode(operator, { name: `System ${number}`, domain });
      return { id: node.id, identity: { certificate: files['node.crt'] ?? '', key: files['node.key'] ?? '' } };
    },
    async alias(alias, system) {
      await aliases.set(operator, { alias, system });
    },
    open,
    async send(identity, message) {
      const line = await open(identity);
      line.write(framed(typeof message === 'string' ? Buffer.from(message) : message));
      const text = (await line.next()) ?? '';
      line.end();
      return answerOf(text);
    },
    async close() {
      await server.close(100);
      await service.stop();
      await f.nodes.stop();
      await f.close();
    },
  };
}

async function openLine(where: { port: number; ca: string; identity: KeyMaterial | undefined }): Promise<Hl7Line> {
  const { port, ca, identity } = where;
  const socket = connect({
    host: '127.0.0.1',
    servername: 'localhost',
    port,
    ca,
    ...(identity ? { cert: identity.certificate, key: identity.key } : {}),
  });
  await new Promise<void>((resolve, reject) => socket.once('secureConnect', () => resolve()).once('error', reject));
  let received = Buffer.alloc(0);
  let isClosed = false;
  let wake = (): void => undefined;
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    wake();
  });
  socket.on('error', () => undefined);
  socket.once('close', () => {
    isClosed = true;
    wake();
  });
  const changed = (): Promise<void> => new Promise((resolve) => (wake = resolve));
  return {
    socket,
    write: (bytes) => void socket.write(bytes),
    async next() {
      for (;;) {
        const end = received.indexOf(0x1c);
        if (end >= 0 && received[end + 1] === 0x0d) {
          const text = received.subarray(1, end).toString('utf8');
          received = received.subarray(end + 2);
          return text;
        }
        if (isClosed) return undefined;
        await changed();
      }
    },
    async closed() {
      while (!isClosed) await changed();
    },
    end: () => socket.end(),
  };
}
