/**
 * Fills a directory with a registry of N records once, for benches that need a large one:
 * `npm run bench -- prepare --people 1000000 --directory /var/tmp/careseal-bench/1000000`, then `registry --prepared` the same.
 * Prints what a record cost as the registry grew, in processor time: on a machine with other work rates say little.
 */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { withMaintenanceSession } from '../src/platform/db/index.ts';
import { processorMs } from './support/processor-time.ts';
import { startCareseal, startPostgres } from './support/processes.ts';
import { machine } from './support/report.ts';

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    people: { type: 'string', default: '1000000' },
    directory: { type: 'string' },
    'without-audit': { type: 'boolean', default: false },
  },
});
if (values.directory === undefined) throw new Error('--directory is missing: where the registry is to be kept');
const directory = resolve(values.directory);
const people = Number(values.people);
if (existsSync(join(directory, 'home'))) throw new Error(`${directory} holds a registry already: remove it first`);

// PostgreSQL's own user has to pass through.
mkdirSync(join(directory, 'home'), { recursive: true, mode: 0o755 });
chmodSync(directory, 0o755);
console.log(machine());
const postgres = await startPostgres(directory);
try {
  const connection = await postgres.keep('bench');
  const told = setInterval(() => console.log(`PostgreSQL so far: ${processorMs(postgres.pid())} ms`), 30_000);
  const careseal = await startCareseal({
    ...{ connection, people, sealed: true, audited: !values['without-audit'] },
    kept: join(directory, 'home'),
  });
  clearInterval(told);
  console.log(`${people.toLocaleString('en')} records filled at ${Math.round(careseal.ready.loadPerSecond)}/s.`);
  await careseal.stop();
  // As autovacuum and time would leave it.
  await withMaintenanceSession({ ...postgres.superuser, database: 'bench' }, async (session) => {
    await session.script('VACUUM ANALYZE');
    await session.script('CHECKPOINT');
  });
  writeFileSync(join(directory, 'prepared.json'), `${JSON.stringify({ people, audited: !values['without-audit'] })}\n`);
} finally {
  await postgres.stop();
}
