import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { withMaintenanceSession } from '../../src/platform/db/index.ts';
import { startEmbeddedPostgres } from '../../src/platform/postgres/index.ts';
import { careseal, fetchFrom, startTestServer, testHome } from '../support/server.ts';

/** A PostgreSQL of somebody else's: version 18 over TCP with passwords, as a hosting company gives it. */
let directory: string;
let postgres: Awaited<ReturnType<typeof startEmbeddedPostgres>>;
let home: string;
let dispose: () => Promise<void>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'careseal-external-'));
  postgres = await startEmbeddedPostgres({
    directory,
    settings: { maxConnections: 60, durable: false, cacheMegabytes: 64 },
    transport: 'loopback',
  });
});
afterAll(async () => {
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
});
beforeEach(async () => {
  ({ path: home, dispose } = await testHome());
});
afterEach(() => dispose());

function url(user: string, database: string): string {
  return `postgres://${user}@127.0.0.1:${postgres.superuser.port}/${database}`;
}

async function database(name: string, statements: readonly string[] = []): Promise<void> {
  await withMaintenanceSession(postgres.superuser, async (session) => {
    await session.script(`CREATE DATABASE ${name}`);
    for (const text of statements) await session.script(text);
  });
}

async function secretFile(name: string, secret: string | undefined): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, `${secret ?? ''}\n`, { mode: 0o600 });
  return path;
}

describe('CARESEAL_DATABASE_URL', () => {
  it('with one sign-in makes what is needed there, and starts no PostgreSQL of its own', async () => {
    await database('one');
    const password = await secretFile('superuser', postgres.superuser.password);
    const settings = {
      CARESEAL_DATABASE_URL: url('careseal_superuser', 'one'),
      CARESEAL_DATABASE_PASSWORD_FILE: password,
    };
    const server = await startTestServer({ home, settings });
    expect((await fetchFrom(`${server.operationsUrl}/readyz`)).status).toBe(200);
    expect(server.stderr()).toContain('share one sign-in');
    expect(existsSync(join(home, 'pg'))).toBe(false);
    const listed = await careseal(['user', 'list', '--json'], { home, settings });
    expect(listed.code).toBe(0);
    expect(await server.end('SIGTERM')).toBe(0);
    const again = await startTestServer({ home, settings });
    expect(await again.end('SIGTERM')).toBe(0);
  });

  it('with two sign-ins parts the owner from the application', async () => {
    await database('two', ['ALTER DATABASE two OWNER TO careseal_owner']);
    const server = await startTestServer({
      home,
      settings: {
        CARESEAL_DATABASE_URL: url('careseal_app', 'two'),
        CARESEAL_DATABASE_PASSWORD_FILE: await secretFile('app', postgres.app.password),
        CARESEAL_DATABASE_OWNER_URL: url('careseal_owner', 'two'),
        CARESEAL_DATABASE_OWNER_PASSWORD_FILE: await secretFile('owner', postgres.owner.password),
      },
    });
    expect(server.stderr()).not.toContain('share one sign-in');
    expect(await server.end('SIGTERM')).toBe(0);
  });

  it('whose sign-in may not make roles is told what to run, and nothing was changed', async () => {
    await database('three', ['DROP ROLE IF EXISTS guest', `CREATE ROLE guest LOGIN PASSWORD 'guest-guest-guest'`]);
    const refused = await careseal(['start'], {
      home,
      settings: { CARESEAL_DATABASE_URL: `postgres://guest:wrong@127.0.0.1:${postgres.superuser.port}/three` },
    });
    expect(refused.code).toBe(1);
    expect(refused.stderr).not.toContain('wrong');
  });

  it('that nobody answers is a clear error', async () => {
    const refused = await careseal(['start'], {
      home,
      settings: { CARESEAL_DATABASE_URL: 'postgres://x@127.0.0.1:1/x' },
    });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('cannot be reached');
  });
});

it('the tests’ own PostgreSQL is reached by socket only', () => {
  expect(inject('postgres').host).toMatch(/^\//);
});
