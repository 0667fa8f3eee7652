import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { Problem } from '../../kernel/problem.ts';
import { statement } from '../db/index.ts';
import { silentLogger } from '../log/index.ts';
import { createJobs, type JobHandler, type JobId, type Jobs } from './index.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

function jobsWith(kind: string, handler: JobHandler, runner = 'test'): Jobs {
  const jobs = createJobs({ database: db.database, log: silentLogger(), runner, pollMs: 50 });
  jobs.define(kind, handler);
  return jobs;
}

const enqueue = (jobs: Jobs, kind: string): Promise<JobId> =>
  db.database.transaction((tx) => jobs.enqueue(tx, kind, { file: 'f' }));
const stateOf = async (jobs: Jobs, id: JobId): Promise<string | undefined> => (await jobs.read(db.database, id))?.state;

describe('a job', () => {
  it('runs once after the commit that asked for it, and not when that rolled back', async () => {
    let runs = 0;
    const jobs = jobsWith('once', async () => void runs++);
    await jobs.start();
    await db.database
      .transaction(async (tx) => {
        await jobs.enqueue(tx, 'once', {});
        throw new Error('no');
      })
      .catch(() => undefined);
    const id = await enqueue(jobs, 'once');
    await expect.poll(() => stateOf(jobs, id)).toBe('done');
    await jobs.stop();
    expect(runs).toBe(1);
  });

  it('goes on from its progress after its process was killed', async () => {
    const killed = jobsWith('long', async (job) => {
      await db.database.transaction((tx) => job.saveProgress(tx, { row: 500 }));
      await new Promise(() => undefined); // killed: never comes back
    });
    await killed.start();
    const id = await enqueue(killed, 'long');
    await expect.poll(async () => (await killed.read(db.database, id))?.progress).toEqual({ row: 500 });
    let resumedFrom: unknown;
    const next = jobsWith('long', async (job) => void (resumedFrom = job.progress));
    await next.start();
    await expect.poll(() => stateOf(next, id)).toBe('done');
    expect(resumedFrom).toEqual({ row: 500 });
    await next.stop();
  });

  it('is interrupted by a stop and taken up again', async () => {
    const first = jobsWith(
      'pause',
      (job) => new Promise((_, reject) => job.signal.addEventListener('abort', () => reject(new Error('stop')))),
    );
    await first.start();
    const id = await enqueue(first, 'pause');
    await expect.poll(() => stateOf(first, id)).toBe('running');
    await first.stop();
    expect(await stateOf(first, id)).toBe('waiting');
    const second = jobsWith('pause', () => Promise.resolve());
    await second.start();
    await expect.poll(() => stateOf(second, id)).toBe('done');
    await second.stop();
  });

  it('fails with the code of its Problem and nothing more', async () => {
    const jobs = jobsWith('bad', () => Promise.reject(new Problem('invalid', 'bad-file', 'The file is bad.')));
    await jobs.start();
    const id = await enqueue(jobs, 'bad');
    await expect.poll(() => stateOf(jobs, id)).toBe('failed');
    expect(await jobs.read(db.database, id)).toMatchObject({ errorCode: 'bad-file', attempts: 1 });
    await jobs.stop();
  });

  it('cancelled while waiting never begins', async () => {
    let ran = false;
    const jobs = jobsWith('never', async () => void (ran = true));
    const id = await enqueue(jobs, 'never');
    await jobs.cancel(db.database, id);
    await jobs.start();
    await jobs.idle();
    await jobs.stop();
    expect(await stateOf(jobs, id)).toBe('cancelled');
    expect(ran).toBe(false);
  });

  it('that another process has taken over cannot save its progress', async () => {
    let refusal: unknown;
    const jobs = jobsWith('lost', async (job) => {
      await db.ownerDatabase.run(statement('test.steal', `UPDATE jobs.job SET runner = 'other' WHERE kind = 'lost'`));
      refusal = await job.saveProgress(db.database, {}).catch((error: unknown) => error);
    });
    await jobs.start();
    await enqueue(jobs, 'lost');
    await expect.poll(() => refusal).toMatchObject({ code: 'job-lost' });
    await jobs.stop();
  });
});
