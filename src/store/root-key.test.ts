import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rootKeyFile, rootKeyFromPassphrase } from './root-key.ts';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'careseal-root-key-'));
  path = join(directory, 'root.key');
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

test('a root key file is made once, for its owner only, and read back', async () => {
  const source = rootKeyFile(path);
  expect(await source.read()).toEqual([]);
  const made = await source.create();
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readFile(path, 'utf8')).toMatch(/^careseal-root-key-1 [A-Za-z0-9_-]{43}\n$/);
  const [read] = await rootKeyFile(path).read();
  expect(read?.equals(made)).toBe(true);
  await expect(source.create()).rejects.toMatchObject({ code: 'EEXIST' });
});

test.each(['current', 'next'] as const)('of a present and a next key the %s one may turn out right', async (which) => {
  const source = rootKeyFile(path);
  const keys = { current: await source.create(), next: await source.prepare() };
  expect(await source.read()).toHaveLength(2);
  await expect(source.prepare()).rejects.toMatchObject({ code: 'EEXIST' });
  await source.settle(keys[which]);
  await source.settle(keys[which]);
  const left = await source.read();
  expect(left.map((key) => key.equals(keys[which]))).toEqual([true]);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('settling for a key that is in neither file touches nothing', async () => {
  const source = rootKeyFile(path);
  await source.create();
  await source.prepare();
  await source.settle(await rootKeyFile(join(directory, 'other.key')).create());
  expect(await source.read()).toHaveLength(2);
});

test('a file that others may read, or that is no key, is refused', async () => {
  await rootKeyFile(path).create();
  await chmod(path, 0o640);
  await expect(rootKeyFile(path).read()).rejects.toMatchObject({ code: 'root-key-unusable' });
  for (const text of ['', 'careseal-root-key-1 AAAA', `careseal-root-key-2 ${'A'.repeat(43)}`, `${'A'.repeat(43)}`]) {
    await rm(path);
    await writeFile(path, text, { mode: 0o600 });
    await expect(rootKeyFile(path).read()).rejects.toMatchObject({ code: 'root-key-unusable' });
  }
});

test('a passphrase gives the same key at every start, another passphrase another key', async () => {
  const made = await rootKeyFromPassphrase(path, { now: 'seven words' }).create();
  const [same] = await rootKeyFromPassphrase(path, { now: 'seven words' }).read();
  const [other] = await rootKeyFromPassphrase(path, { now: 'eight words' }).read();
  expect([same?.equals(made), other?.equals(made)]).toEqual([true, false]);
  expect(await readFile(path, 'utf8')).not.toContain('words');
});

test('a passphrase can be changed, and the file names its costs', async () => {
  const source = rootKeyFromPassphrase(path, { now: 'old words', next: 'new words' });
  await source.create();
  const next = await source.prepare();
  await source.settle(next);
  const [read] = await rootKeyFromPassphrase(path, { now: 'new words' }).read();
  expect(read?.equals(next)).toBe(true);
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ memoryKiB: 262_144, passes: 4 });
});

test('costs that are too low to be ours are refused', async () => {
  const weak = { format: 'careseal-passphrase-1', salt: 'A'.repeat(43), memoryKiB: 8, passes: 1 };
  await writeFile(path, JSON.stringify(weak), { mode: 0o600 });
  await expect(rootKeyFromPassphrase(path, { now: 'x' }).read()).rejects.toMatchObject({ code: 'root-key-unusable' });
});
