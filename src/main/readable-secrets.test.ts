import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../platform/config/config.ts';
import { warnOfReadableSecrets } from './readable-secrets.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'careseal-secrets-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function file(name: string, mode: number): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, 'secret');
  await chmod(path, mode);
  return path;
}

function told(document: Readonly<Record<string, unknown>>): unknown[] {
  const config = readConfig({
    home: directory,
    homeSource: 'default',
    workingDirectory: directory,
    document,
    variables: {},
  });
  const lines: unknown[] = [];
  warnOfReadableSecrets(config, { warn: (text, fields) => void lines.push([text, fields]) });
  return lines;
}

test('files with secrets that everybody can read are named once, by their settings', async () => {
  const passphraseFile = await file('passphrase', 0o644);
  const certificate = await file('certificate', 0o644);
  const key = await file('key', 0o604);
  const lines = told({ passphraseFile, usersCertificateFile: certificate, usersKeyFile: key });
  expect(lines).toEqual([[expect.stringContaining('chmod o-r'), { settings: 'passphraseFile, usersKeyFile' }]]);
  expect(JSON.stringify(lines)).not.toContain(directory);
});

test('nothing is said of files of one’s own or a group’s, of missing ones, and of none', async () => {
  expect(told({ passphraseFile: await file('own', 0o600) })).toEqual([]);
  expect(told({ passphraseFile: await file('group', 0o640) })).toEqual([]);
  expect(told({ passphraseFile: join(directory, 'missing') })).toEqual([]);
  expect(told({})).toEqual([]);
});
