import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeDirectory } from './make-directory.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'careseal-directory-'));
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

it('makes what is missing with the rights asked for, and leaves alone what is there', async () => {
  const deep = join(folder, 'a', 'b', 'c');
  makeDirectory(deep, 0o700);
  for (const path of [deep, join(folder, 'a')]) expect((await stat(path)).mode & 0o777).toBe(0o700);
  await chmod(deep, 0o750);
  makeDirectory(deep, 0o700);
  expect((await stat(deep)).mode & 0o777).toBe(0o750);
});

it('refuses where a file lies', async () => {
  await writeFile(join(folder, 'file'), '');
  expect(() => makeDirectory(join(folder, 'file'), 0o700)).toThrow('EEXIST');
  expect(() => makeDirectory(join(folder, 'file', 'below'), 0o700)).toThrow();
});

it.runIf(platform() === 'linux')('ends where nothing can be made though the directory above is there', () => {
  expect(() => makeDirectory('/proc/careseal/deeper', 0o700)).toThrow('ENOENT');
});
