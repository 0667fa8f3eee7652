import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testKeyRing } from '../../../test/support/audit.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { exportSecretKey, newSecretKey } from '../../crypto/index.ts';
import { statement } from '../../platform/db/sql.ts';
import { createAudit } from './index.ts';
import { readHead } from './tree-store.ts';

/**
 * Whole processes that record and sequence are killed with SIGKILL at random moments; what they were promised must be there. Eight times with
 * every run of the tests; `CARESEAL_KILLS=300` makes it hundreds.
 */
const KILLS = Number(process.env['CARESEAL_KILLS'] ?? 8);
const MS_EACH_MAX = 15_000;
let db: TestDatabase;
let directory: string;
beforeAll(async () => {
  db = await testDatabase();
  directory = await mkdtemp(join(tmpdir(), 'careseal-kill-'));
});
afterAll(async () => {
  await db.close();
  await rm(directory, { recursive: true, force: true });
});

/** Records from four callers and sequences every few milliseconds; prints how many events were acknowledged so far. */
const program = (keys: readonly [string, string]): string => `
  import { createDatabase } from '${import.meta.dirname}/../../platform/db/index.ts';
  import { createAudit } from '${import.meta.dirname}/index.ts';
  import { readInput, testKeyRing } from '${import.meta.dirname}/../../../test/support/audit.ts';
  const database = createDatabase({ connection: ${JSON.stringify(db.connection)}, poolSize: 6, statementTimeoutMs: 10000 });
  const keyRing = testKeyRing(${JSON.stringify(keys)});
  const source = { site: 's', baseUrl: 'https://s:8443' };
  const audit = createAudit({ database, keyRing, clock: { nowMs: Date.now }, source, checkpointEveryMs: 3, onFailure: () => {} });
  audit.startSequencer();
  let n = 0;
  for (let i = 0; i < 4; i++) (async () => {
    for (;;) { await audit.recordNow([readInput('k')]); process.stdout.write(String(++n) + '\\n'); }
  })();
`;

async function signedMore(): Promise<void> {
  const size = async () => (await readHead(db.database))?.size ?? 0;
  const before = await size();
  await expect.poll(size, { interval: 5 }).toBeGreaterThan(before);
}

test(
  'acknowledged events survive, and the tree has no gap and no fork',
  async () => {
    const keys = [newSecretKey(), newSecretKey()].map((key) => Buffer.from(exportSecretKey(key)).toString('base64'));
    const pair = [keys[0] ?? '', keys[1] ?? ''] as const;
    const file = join(directory, 'writer.ts');
    await writeFile(file, program(pair));
    let acknowledged = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
      await once(child.stdout, 'data');
      // Every other one is killed while it begins, the rest once they have signed, in the middle of whatever comes next.
      if (kill % 2 === 1) await signedMore();
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 200));
      child.kill('SIGKILL');
      await once(child, 'close');
      acknowledged += Number(text.trimEnd().split('\n').at(-1) ?? 0);
    }
    const audit = createAudit({
      database: db.database,
      keyRing: testKeyRing(pair),
      clock: { nowMs: Date.now },
      source: { site: 's', baseUrl: 'https://s:8443' },
      onFailure: () => {},
    });
    const found = await audit.verify();
    expect(found).toMatchObject({ ok: true, problems: [], pending: 0 });
    expect(found.size).toBeGreaterThanOrEqual(acknowledged);
    const count = statement<{ n: bigint }>('test.events', 'SELECT sum(events)::bigint AS n FROM audit.batch');
    expect(Number((await db.database.rows(count))[0]?.n)).toBe(found.size);
    expect(found.checkpointsChecked).toBeGreaterThan(2);
  },
  Math.max(120_000, KILLS * MS_EACH_MAX),
);
