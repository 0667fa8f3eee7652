import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { testKeyVault } from '../../../test/support/keys.ts';
import { type TestMailServer, testMailServer } from '../../../test/support/mail-server.ts';
import { testAuthority, testLeaf } from '../../../test/support/tls.ts';
import type { KeyVault } from '../../store/index.ts';
import { statement } from '../db/index.ts';
import { silentLogger } from '../log/index.ts';
import { createMail, createSmtpTransport, type Mail, type MailServer, type Transport } from './index.ts';

let db: TestDatabase;
let vault: KeyVault;
let server: TestMailServer;
let nowMs = Date.parse('2026-03-01T08:00:00Z');

beforeAll(async () => {
  db = await testDatabase();
  vault = await testKeyVault(db.database);
  server = await testMailServer();
});
afterAll(async () => {
  await server.close();
  await vault.close();
  await db.close();
});

const at = (port: number): MailServer => ({
  host: '127.0.0.1',
  port,
  user: undefined,
  passwordFile: undefined,
  from: 'careseal@clinic.example',
  authorityFile: undefined,
});

function mailBy(transport: Transport | undefined): Mail {
  const deps = { database: db.database, clock: { nowMs: () => nowMs }, log: silentLogger(), seals: vault.keyRing };
  return createMail({ ...deps, transport, pollMs: 50 });
}

const MESSAGE = { kind: 'test', subject: 'Your link', text: 'Grüße: https://localhost/enrol#abc' };
const send = (mail: Mail, to: string): Promise<boolean> =>
  db.database.transaction((tx) => mail.enqueue(tx, { ...MESSAGE, to }));

describe('mail', () => {
  it('goes out after the commit and leaves nothing behind', async () => {
    const mail = mailBy(createSmtpTransport(at(server.port)));
    await mail.start();
    await send(mail, 'amina@clinic.example');
    await expect.poll(() => server.lastText('amina@clinic.example')).toContain('Grüße: https://localhost/enrol#abc');
    await mail.stop();
    expect(await mail.status()).toMatchObject({ configured: true, waiting: 0, givenUp: 0 });
    expect(server.received.at(-1)?.source).toContain('Auto-Submitted: auto-generated');
  });

  it('is not sent when the act it tells of rolls back', async () => {
    const mail = mailBy(createSmtpTransport(at(server.port)));
    await db.database
      .transaction(async (tx) => {
        await mail.enqueue(tx, { ...MESSAGE, to: 'nobody@clinic.example' });
        throw new Error('no');
      })
      .catch(() => undefined);
    await mail.deliverDue();
    expect(server.lastText('nobody@clinic.example')).toBeUndefined();
  });

  it('waits and is tried again while the server is busy or away, and is sealed meanwhile', async () => {
    const mail = mailBy(createSmtpTransport(at(server.port)));
    server.refuseWith(451);
    await send(mail, 'later@clinic.example');
    await mail.deliverDue();
    server.refuseWith(undefined);
    expect(await mail.status()).toMatchObject({ waiting: 1, lastFailure: 'busy' });
    const [row] = await db.ownerDatabase.rows(
      statement<{ all: string }>('test.spool', `SELECT encode(sealed_message, 'escape') AS all FROM mail.spool`),
    );
    expect(row?.all).not.toMatch(/later@|enrol|link/);
    await mail.deliverDue();
    expect(server.lastText('later@clinic.example')).toBeUndefined();
    nowMs += 16_000;
    await mail.deliverDue();
    expect(server.lastText('later@clinic.example')).toContain('enrol#abc');
  });

  it('is given up when the server refuses it for good, or when its time is over', async () => {
    const mail = mailBy(createSmtpTransport(at(server.port)));
    server.refuseWith(550);
    await send(mail, 'gone@clinic.example');
    await mail.deliverDue();
    server.refuseWith(undefined);
    expect(await mail.status()).toMatchObject({ waiting: 0, givenUp: 1, lastFailure: 'refused' });
    nowMs += 1000;
    await db.database.transaction((tx) =>
      mail.enqueue(tx, { ...MESSAGE, to: 'late@clinic.example', expiresMs: nowMs + 1000 }),
    );
    nowMs += 2000;
    await mail.deliverDue();
    expect(await mail.status()).toMatchObject({ waiting: 0, givenUp: 2, lastFailure: 'expired' });
    expect(server.lastText('late@clinic.example')).toBeUndefined();
  });

  it('says so when no server is set up, and keeps nothing', async () => {
    const mail = mailBy(undefined);
    expect(mail.configured).toBe(false);
    expect(await send(mail, 'x@clinic.example')).toBe(false);
    expect((await mail.status()).waiting).toBe(0);
  });
});

describe('the way to the mail server', () => {
  it('demands TLS with a certificate it can check, and signs in', async () => {
    const authority = await testAuthority();
    const leaf = await testLeaf(authority, { usage: 'server' });
    const directory = await mkdtemp(join(tmpdir(), 'careseal-mail-'));
    const authorityFile = join(directory, 'ca.pem');
    const passwordFile = join(directory, 'password');
    await writeFile(authorityFile, authority.ca);
    await writeFile(passwordFile, 'the mail password\n');
    const tls = await testMailServer({
      key: leaf.key,
      cert: leaf.certificate,
      authOptional: false,
      onAuth: ({ password }, _, done) =>
        password === 'the mail password' ? done(null, { user: 'careseal' }) : done(new Error('no')),
    });
    const message = { id: 'one', to: 'a@b.example', subject: 's', text: 't' };
    const settings = { ...at(tls.port), host: 'localhost', user: 'careseal', passwordFile, authorityFile };
    await createSmtpTransport(settings).send(message);
    expect(tls.received).toMatchObject([{ to: ['a@b.example'], overTls: true }]);
    const other = join(directory, 'other.pem');
    await writeFile(other, (await testAuthority('Other')).ca);
    await expect(createSmtpTransport({ ...settings, authorityFile: other }).send(message)).rejects.toThrow(
      /certificate/,
    );
    await writeFile(passwordFile, 'wrong');
    await expect(createSmtpTransport(settings).send(message)).rejects.toMatchObject({ code: 'EAUTH' });
    await tls.close();
    // A server (or somebody in between) that offers no TLS gets neither password nor message.
    await expect(createSmtpTransport({ ...settings, port: server.port }).send(message)).rejects.toMatchObject({
      code: 'ETLS',
    });
  });

  it('never lets a subject or an address add a header', async () => {
    const evil = { id: 'two', subject: 'a\r\nBcc: spy@evil.example', to: 'a@b.example', text: 't' };
    await createSmtpTransport(at(server.port)).send(evil);
    const last = server.received.at(-1);
    expect(last?.to).toEqual(['a@b.example']);
    expect(last?.source).not.toMatch(/^Bcc:/im);
  });
});
