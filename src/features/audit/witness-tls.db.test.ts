import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readInput, testKeyRing } from '../../../test/support/audit.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { type TestAuthority, testAuthority, testLeaf } from '../../../test/support/tls.ts';
import { sha256 } from '../../crypto/index.ts';
import { startSmallServer } from '../../platform/small-http/index.ts';
import { parseVerifierKey } from '../../verifier/index.ts';
import { openWitness, type Witness } from '../witness/index.ts';
import { type Audit, createAudit } from './index.ts';
import type { WitnessSetting } from './witnesses.ts';

/** A witness behind HTTPS whose certificate comes from an authority of its own. */
const clock = { nowMs: Date.now };
let db: TestDatabase;
let directory: string;
let authority: TestAuthority;
let witness: Witness;
let server: { port: number; close(): Promise<void> };
const keyRing = testKeyRing();
const source = { site: 's', baseUrl: 'https://careseal.example.org:8443' };
const open = (witnesses: readonly WitnessSetting[]): Audit =>
  createAudit({ database: db.database, keyRing, clock, source, witnesses, onFailure: () => undefined });

beforeAll(async () => {
  [db, directory, authority] = [
    await testDatabase(),
    await mkdtemp(join(tmpdir(), 'careseal-witness-tls-')),
    await testAuthority('Ministry'),
  ];
  const log = open([]);
  await log.recordNow([readInput('a')]);
  await log.sequence();
  const key = parseVerifierKey(sha256, (await log.status()).verifierKey);
  if (key === undefined) throw new Error('no key');
  witness = await openWitness({ name: 'ministry.example.org', directory: join(directory, 'w'), logs: [key], clock });
  const leaf = await testLeaf(authority, { usage: 'server', names: ['localhost'] });
  const tls = { certificateFile: join(directory, 'crt'), keyFile: join(directory, 'key') };
  await writeFile(tls.certificateFile, leaf.certificate);
  await writeFile(tls.keyFile, leaf.key);
  server = await startSmallServer({ host: '127.0.0.1', port: 0, tls, handle: witness.handle });
});
afterAll(async () => {
  await server.close();
  await db.close();
  await rm(directory, { recursive: true, force: true });
});

async function asked(setting: Partial<WitnessSetting>) {
  const audit = open([{ url: `https://localhost:${server.port}`, key: witness.verifierKey, ...setting }]);
  await audit.askWitnesses();
  return (await audit.status()).witnesses[0];
}

test('a certificate of an authority that nobody named is not trusted, nor one of another authority or for another name', async () => {
  const other = await testAuthority('Somebody else');
  const named = () => Promise.resolve(authority.ca);
  for (const setting of [
    {},
    { authorityPem: () => Promise.resolve(other.ca) },
    { authorityPem: named, url: `https://127.0.0.1:${server.port}` },
  ]) {
    const state = await asked(setting);
    expect(state?.failure).toMatch(/certificate/i);
    expect(state?.size).toBe(0);
  }
});

test('an authority that cannot be read is told, and nothing is sent without it', async () => {
  const state = await asked({ authorityPem: () => Promise.reject(new Error('the file cannot be read')) });
  expect(state).toMatchObject({ size: 0, failure: 'the file cannot be read' });
});

test('with its authority named the witness signs', async () => {
  const state = await asked({ authorityPem: () => Promise.resolve(authority.ca) });
  expect(state).toMatchObject({ name: 'ministry.example.org', size: 1 });
  expect(state).not.toHaveProperty('failure');
});
