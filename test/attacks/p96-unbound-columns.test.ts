import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_MODEL } from '../../src/features/matching/index.ts';
import { operator } from '../../src/main/services.ts';
import { withMaintenanceSession } from '../../src/platform/db/index.ts';
import { type Programme, programme } from '../support/organisations.ts';

/**
 * P96. Attacker: owns the database, has no keys, and an account of one organisation. Goal: to have another matching model decide, to keep
 * alerts and their mails from those who answer for them, or to read another client's history as one's own.
 */
let p: Programme;
beforeAll(async () => {
  p = await programme();
  await p.services.registry.bindEarlier();
}, 120_000);
afterAll(() => p.close());

/** SQL as the superuser. */
async function run(sql: string): Promise<void> {
  await withMaintenanceSession(p.db.superuserConnection, (session) => session.script(sql));
}

async function isTold(what: string): Promise<void> {
  const told = async (): Promise<unknown> => {
    await p.services.audit.sequence();
    const { events } = await p.services.audit.search({ events: ['registry.changed'], limit: 50 });
    return events.map(({ detail }) => detail?.['what']);
  };
  await expect.poll(told, { timeout: 15_000 }).toContain(what);
}

describe('which model decides', () => {
  const LOOSE = { ...DEFAULT_MODEL, version: 'loose-1', thresholds: { ...DEFAULT_MODEL.thresholds, match: 0.98 } };
  const add = async () => {
    const what = { document: LOOSE, notes: 'tried', origin: 'uploaded' as const };
    return (await p.services.models.add(operator(), what)).model.id;
  };
  const decides = async () => {
    await p.services.models.inForce.reload();
    return p.services.registry.models.version();
  };

  test('is not another because the row says so; an administrator’s promotion makes it so', async () => {
    const id = await add();
    await run(`UPDATE models.in_force SET active = '${id}'`);
    expect(await decides()).toBe(DEFAULT_MODEL.version);
    await isTold('model');
    // Nor where the row looks as if an earlier version had written it, nor where it is made anew.
    await run(`UPDATE models.in_force SET active = '${id}', binding = NULL`);
    expect(await decides()).toBe(DEFAULT_MODEL.version);
    await run(`UPDATE models.in_force SET active = '${id}', shadow = '${id}', former = '{}', binding = '\\x00'`);
    expect(await decides()).toBe(DEFAULT_MODEL.version);
    const shown = await p.ask('centre steward', 'GET', '/api/models');
    expect(shown.text).not.toContain('"state":"shadow"');
    const shipped = await p.services.models.named(DEFAULT_MODEL.version);
    const done = await p.services.models.promote(operator(), shipped);
    expect(done).toHaveProperty('activationId');
    expect(await decides()).toBe(DEFAULT_MODEL.version);
    const altered = await p.services.database.rows<{ active: string }>({
      ...{ name: 'test.in-force', text: 'SELECT active FROM models.in_force' },
    });
    expect(altered).toEqual([{ active: shipped }]);
  });
});
