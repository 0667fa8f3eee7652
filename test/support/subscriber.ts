/** A system that is told of changes: a TLS server with a certificate of its own authority, which keeps what it was sent. */
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type TestAuthority, testAuthority, testLeaf } from './tls.ts';

export interface Notice {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly atMs: number;
}

type Answer = number | 'hang' | 'cut';

export interface TestSubscriber {
  readonly url: string;
  readonly authority: TestAuthority;
  readonly notices: Notice[];
  /** What to answer: a status, 'hang' to say nothing, 'cut' to break the connection. */
  answer: (notice: Notice) => Answer | Promise<Answer>;
  close(): Promise<void>;
}

export async function testSubscriber(): Promise<TestSubscriber> {
  const authority = await testAuthority();
  const { certificate, key } = await testLeaf(authority, { usage: 'server', names: ['localhost', '127.0.0.1'] });
  const notices: Notice[] = [];
  const subscriber: { answer: TestSubscriber['answer'] } = { answer: () => 200 };
  const server: Server = createServer({ cert: certificate, key }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    const end = async (): Promise<void> => {
      const { method = '', url: path = '', headers } = request;
      const notice = { method, path, headers, text: Buffer.concat(chunks).toString('utf8'), atMs: Date.now() };
      notices.push(notice);
      const status = await subscriber.answer(notice);
      if (status === 'hang') return;
      if (status === 'cut') request.socket.destroy();
      else response.writeHead(status).end();
    };
    request.on('end', () => void end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(subscriber, {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    authority,
    notices,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}
