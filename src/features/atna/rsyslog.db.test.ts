import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readInput, testKeyRing, userActor } from '../../../test/support/audit.ts';
import { testDatabase } from '../../../test/support/database.ts';
import { testAuthority, testLeaf } from '../../../test/support/tls.ts';
import { createAudit } from '../audit/index.ts';
import { createForwarder } from './forwarder.ts';
import { createTargetBinder } from './target-binding.ts';
import { createTargets } from './targets.ts';

const binder = createTargetBinder(testKeyRing());

/** Rsyslog with GnuTLS: a receiver that nobody here wrote. Where it is not installed this says so instead of passing. */
const RSYSLOGD = '/usr/sbin/rsyslogd';
const PLUGINS = ['/usr/lib/x86_64-linux-gnu/rsyslog', '/usr/lib/aarch64-linux-gnu/rsyslog', '/usr/lib64/rsyslog'];
const installed = existsSync(RSYSLOGD) && PLUGINS.some((directory) => existsSync(join(directory, 'lmnsd_gtls.so')));
if (!installed) process.stderr.write('SKIPPED: rsyslog with GnuTLS is not installed (apt install rsyslog-gnutls)\n');

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test.skipIf(!installed)(
  'rsyslog over GnuTLS takes every event whole, in order, and only from our certificate',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'careseal-rsyslog-'));
    const db = await testDatabase();
    let rsyslog: ChildProcess | undefined;
    try {
      const authority = await testAuthority();
      const server = await testLeaf(authority, { usage: 'server' });
      const client = await testLeaf(authority, { usage: 'client' });
      const port = await freePort();
      const out = join(directory, 'out');
      await writeFile(join(directory, 'ca.pem'), authority.ca);
      await writeFile(join(directory, 'cert.pem'), server.certificate);
      await writeFile(join(directory, 'key.pem'), server.key);
      await writeFile(
        join(directory, 'rsyslog.conf'),
        `global(workDirectory="${directory}" maxMessageSize="2m" defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="${directory}/ca.pem"
  defaultNetstreamDriverCertFile="${directory}/cert.pem" defaultNetstreamDriverKeyFile="${directory}/key.pem")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="x509/certvalid")
template(name="raw" type="string" string="%pri% %hostname% %app-name% %msgid% %msg%\\n")
input(type="imtcp" port="${port}" address="127.0.0.1")
action(type="omfile" file="${out}" template="raw")\n`,
      );
      rsyslog = spawn(RSYSLOGD, ['-n', '-f', join(directory, 'rsyslog.conf'), '-i', join(directory, 'pid')], {
        stdio: 'ignore',
      });
      const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
      const clock = { nowMs: () => Date.now() };
      const { database } = db;
      const audit = createAudit({ database, keyRing: testKeyRing(), clock, source, onFailure: () => undefined });
      const targets = createTargets({ database, clock, audit, binder });
      await targets.add(userActor, {
        name: 'rsyslog',
        protocol: 'tls',
        host: '127.0.0.1',
        port,
        path: '',
        authorities: authority.ca,
        filter: { events: ['client.read'], outcome: 'all' },
        from: 'beginning',
      });
      const shown: { identity?: typeof client } = {};
      const forwarder = createForwarder({
        database,
        binder,
        clock,
        audit,
        carrier: { site: source.site, identity: () => Promise.resolve(shown.identity) },
        onChange: () => undefined,
        pace: { pollMs: 20, retryMs: 50, retryMsMax: 100, lingerMs: 60 },
      });
      const ids = Array.from({ length: 300 }, (_, at) => `0198f3a0-0000-7000-8000-${String(at).padStart(12, '0')}`);
      for (const id of ids) await audit.recordNow([readInput(id, userActor)]);
      await audit.sequence();
      forwarder.start();
      const delivered = async (): Promise<unknown> => (await targets.list(userActor)).targets[0];
      await expect.poll(delivered).toMatchObject({ failure: expect.any(String), delivered: 0 });
      shown.identity = client;
      await expect.poll(delivered).toMatchObject({ delivered: 300 });
      await forwarder.stop();
      const lines = (await readFile(out, 'utf8')).trimEnd().split('\n');
      expect(lines).toHaveLength(300);
      expect(lines[0]).toMatch(/^85 careseal\.example\.org Careseal IHE\+RFC-3881 <\?xml .*Zoë .*<\/AuditMessage>$/);
      expect(lines.map((line) => /ParticipantObjectID="Patient\/([^"]+)"/.exec(line)?.[1])).toEqual(ids);
      await audit.stop();
    } finally {
      rsyslog?.kill();
      await db.close();
      await rm(directory, { recursive: true, force: true });
    }
  },
);
