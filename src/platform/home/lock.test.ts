import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { homeHolder, lockHome } from './index.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'careseal-lock-'));
});
afterEach(() => rm(home, { recursive: true }));

const options = { command: 'careseal test', waitMs: 0 };

describe('the home’s lock', () => {
  it('belongs to one process, says who, and is free again after release', async () => {
    const lock = await lockHome(home, options);
    await lock.update({ state: 'serving' });
    await expect(lockHome(home, options)).rejects.toMatchObject({ code: 'home-in-use' });
    await expect(lockHome(home, options)).rejects.toThrow(`process ${process.pid}`);
    expect(await homeHolder(home)).toMatchObject({ state: 'serving', command: 'careseal test' });
    await lock.release();
    expect(await homeHolder(home)).toBeUndefined();
    await (await lockHome(home, options)).release();
    expect(await readdir(home)).toEqual([]);
  });

  it('of a process that is gone is taken over', async () => {
    await lockHome(home, options);
    const child = spawn(process.execPath, ['-e', '0']);
    await once(child, 'exit');
    await rewrite({ pid: child.pid });
    expect(await homeHolder(home)).toBeUndefined();
    await (await lockHome(home, options)).release();
  });

  it('of a process whose number now belongs to another is taken over', async () => {
    await lockHome(home, options);
    await rewrite({ processStart: '1' });
    await (await lockHome(home, options)).release();
  });

  it('on another machine holds while its heart beats', async () => {
    await lockHome(home, options);
    await rewrite({ place: 'elsewhere' });
    await expect(lockHome(home, options)).rejects.toMatchObject({ code: 'home-in-use' });
  });

  it('is waited for while its holder stops', async () => {
    const first = await lockHome(home, options);
    await first.update({ state: 'stopping' });
    const second = lockHome(home, { ...options, waitMs: 5_000 });
    setTimeout(() => void first.release(), 50);
    await (await second).release();
  });

  it('that is a broken file does not keep anybody out', async () => {
    await writeFile(join(home, 'lock.json'), '{');
    await (await lockHome(home, options)).release();
  });

  it('goes to exactly one of many who find a stale one', async () => {
    await lockHome(home, options);
    await rewrite({ processStart: '1' });
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => lockHome(home, options)));
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
  });
});

async function rewrite(changes: object): Promise<void> {
  const path = join(home, 'lock.json');
  const info: unknown = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify(Object.assign({}, info, changes)));
}
