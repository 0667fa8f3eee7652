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

describe('alerts', () => {
  const alerts = () => p.services.logFollowers.alerts;
  const open = async () => {
    const answer = await p.ask('centre administrator', 'GET', '/api/alerts');
    return answer.json<{ alerts: { id: string; rule: string; what: string }[] }>().alerts;
  };

  test('said to be closed, by words of another one or of nobody, are open again, and it is told', async () => {
    await alerts().checks.run();
    await run(`UPDATE alerts.state SET sealed_place = '\\x00'`);
    await alerts().follower.catchUp();
    const [one] = (await open()).filter(({ rule }) => rule === 'log-damaged');
    expect(one).toBeDefined();
    await run(`UPDATE alerts.alert SET closed_at = now(), sealed_closing = '\\x00' WHERE id = '${one?.id}'`);
    expect((await open()).map(({ id }) => id)).not.toContain(one?.id);
    await alerts().checks.run();
    expect((await open()).map(({ id }) => id)).toContain(one?.id);
    expect((await open()).map(({ what }) => what)).toContainEqual(expect.stringContaining('has changed an alert'));
  });

  test('are mailed to everybody who answers for them where the list of who gets them was taken away', async () => {
    const chosen = p.users.get('centre administrator')?.id ?? '';
    const set = await p.ask('centre administrator', 'PUT', '/api/alerts/recipients', { recipients: [chosen] });
    expect(set.status, set.text).toBe(204);
    const shown = async () =>
      (await p.ask('centre administrator', 'GET', '/api/alerts/rules')).json<{
        recipients: string[];
        people: unknown[];
      }>();
    expect((await shown()).recipients).toEqual([chosen]);
    for (const sealed of ['NULL', `'\\x00'`]) {
      await run(`UPDATE alerts.state SET sealed_recipients = ${sealed}`);
      const { recipients, people } = await shown();
      expect(recipients.length).toBe(people.length);
    }
    await alerts().checks.run();
    expect((await open()).map(({ what }) => what)).toContainEqual(expect.stringContaining('who gets mails'));
  });
});

describe('the history of a client', () => {
  test('does not tell of another client whose entry is moved to it, and nothing is decided by such an entry', async () => {
    const own = await p.register('north registrar', {
      key: ['urn:north:mrn', 'N-1'],
      given: 'Peter',
      family: 'Ochieng',
    });
    const other = await p.register('south registrar', {
      key: ['urn:south:mrn', 'S-1'],
      given: 'Zulaika',
      family: 'Banda',
    });
    await run(
      `ALTER TABLE registry.ledger DISABLE TRIGGER USER;
       UPDATE registry.ledger SET golden_id = '${own.golden}', source_id = '${own.source}' WHERE golden_id = '${other.golden}';
       ALTER TABLE registry.ledger ENABLE TRIGGER USER`,
    );
    const seen = await p.ask('north registrar', 'GET', `/api/clients/${own.golden}/history`);
    expect([seen.status, seen.text]).toEqual([200, expect.not.stringContaining('south registrar')]);
    expect(seen.json<{ entries: unknown[] }>().entries).toHaveLength(1);
    await isTold('client');
    const merged = await p.ask('centre steward', 'POST', `/api/clients/${own.golden}/unmerge`, { reason: 'to try it' });
    expect([merged.status, merged.text]).toEqual([409, expect.stringContaining('client-altered')]);
  });
});
