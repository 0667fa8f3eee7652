import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Audit, createAudit } from '../../src/features/audit/index.ts';
import { createForwarder, type Forwarder } from '../../src/features/atna/forwarder.ts';
import { bindEarlierTargets, createTargetBinder } from '../../src/features/atna/target-binding.ts';
import { createTargets, type Targets } from '../../src/features/atna/targets.ts';
import { withMaintenanceSession } from '../../src/platform/db/index.ts';
import { readInput, testKeyRing, userActor } from '../support/audit.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { type Programme, programme } from '../support/organisations.ts';
import { type SyslogServer, syslogServer } from '../support/syslog.ts';
import type { Answer } from '../support/tls.ts';

/**
 * P81: who may write anything into the database, as its owner, and has an account, cannot have the log sent to an address of their
 * own, nor see or load another organisation's uploaded files and the rows that were rejected from them.
 */
async function asOwner(db: TestDatabase, sql: string): Promise<void> {
  await withMaintenanceSession(db.superuserConnection, (session) => session.script(sql));
}

describe('the log', () => {
  let db: TestDatabase;
  let audit: Audit;
  let targets: Targets;
  let forwarder: Forwarder;
  let ministry: SyslogServer;
  let thief: SyslogServer;
  const binder = createTargetBinder(testKeyRing());
  const clock = { nowMs: () => Date.now() };

  beforeAll(async () => {
    db = await testDatabase();
    const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
    audit = createAudit({ database: db.database, keyRing: testKeyRing(), clock, source, onFailure: () => undefined });
    targets = createTargets({ database: db.database, clock, audit, binder });
    [ministry, thief] = [await syslogServer(), await syslogServer()];
    forwarder = createForwarder({
      ...{ database: db.database, clock, audit, binder, onChange: () => undefined },
      carrier: { site: 'careseal.example.org', identity: () => Promise.resolve(undefined) },
      pace: { pollMs: 20, retryMs: 20, retryMsMax: 40, lingerMs: 50 },
    });
    await targets.add(userActor, {
      ...{ name: 'Ministry', protocol: 'tcp', host: '127.0.0.1', port: ministry.port, path: '', authorities: '' },
      ...{ from: 'beginning', filter: { events: ['client.*'], outcome: 'all' } },
    });
    forwarder.start();
  });
  afterAll(async () => {
    await forwarder.stop();
    await Promise.all([ministry.close(), thief.close()]);
    await audit.stop();
    await db.close();
  });

  const happens = async (): Promise<void> => {
    await audit.recordNow([readInput('0198f3a0-0000-7000-8000-000000000001', userActor)]);
    await audit.sequence();
  };
  const failureOf = async (name: string) =>
    (await targets.list(userActor)).targets.find((one) => one.name === name)?.failure;

  test('goes to no target of the thief’s own making, and on to the true one', async () => {
    await asOwner(
      db,
      `INSERT INTO atna.target (id, name, protocol, host, port, path, authorities, filter, created_at, next_leaf, binding)
       SELECT gen_random_uuid(), 'Mine', protocol, host, ${thief.port}, path, authorities, '{"events":[],"outcome":"all"}', now(), 0, binding
       FROM atna.target`,
    );
    await happens();
    await expect.poll(() => ministry.messages.length, { timeout: 15_000 }).toBe(1);
    await expect.poll(() => failureOf('Mine'), { timeout: 15_000 }).toBe('changed');
    expect([thief.connections, await failureOf('Ministry')]).toEqual([0, undefined]);
  });

  test('goes nowhere when its target is aimed elsewhere, or asks for more, until an administrator saves it', async () => {
    for (const change of [`port = ${thief.port}`, `filter = '{"events":[],"outcome":"all"}'`, `name = 'Ministry!'`]) {
      await asOwner(db, `UPDATE atna.target SET ${change} WHERE name LIKE 'Ministry%'`);
      await happens();
      const [name] = (await targets.list(userActor)).targets.flatMap((one) =>
        one.name.startsWith('Mini') ? [one.name] : [],
      );
      expect(await failureOf(name ?? '')).toBe('changed');
    }
    const found = (await targets.list(userActor)).targets.find((one) => one.name.startsWith('Mini'));
    const { protocol, host, path, authorities } = { ...found } as NonNullable<typeof found>;
    await targets.change(userActor, found?.id ?? '', {
      ...{ name: 'Ministry', protocol, host, port: ministry.port, path, authorities, paused: false },
      filter: { events: ['client.*'], outcome: 'all' },
    });
    const state = async () => (await targets.list(userActor)).targets.find((one) => one.id === found?.id);
    await expect
      .poll(async () => [(await state())?.delivered, (await state())?.failure], { timeout: 15_000 })
      .toEqual([4, undefined]);
    expect(thief.connections).toBe(0);
  });

  test('targets of an earlier version are bound once, and what is stripped or added later is not', async () => {
    let set = false;
    const mark = { isSet: async () => set, set: async () => void (set = true) };
    await forwarder.stop();
    await asOwner(db, 'UPDATE atna.target SET binding = NULL');
    await bindEarlierTargets(db.database, binder, mark);
    expect(await failureOf('Ministry')).toBeUndefined();
    await asOwner(db, 'UPDATE atna.target SET binding = NULL');
    await bindEarlierTargets(db.database, binder, mark);
    expect(await failureOf('Ministry')).toBe('changed');
  });
});

describe('uploaded files and loads', () => {
  let p: Programme;
  beforeAll(async () => {
    p = await programme();
  }, 120_000);
  afterAll(() => p.close());

  const csv = 'id,given,family,birthDate\n1,Zulaika,Nantongo,1984-03-12\n2,Amina,Nantongo,not-a-date\n';
  const upload = async (who: 'north registrar' | 'south registrar', text: string) => {
    const headers = { 'content-type': 'text/csv', 'x-file-name': 'Clinic.csv' };
    const answer = await p.ask(who, 'POST', '/api/loads/uploads', text, headers);
    if (answer.status >= 300) throw new Error(answer.text);
    return answer.json<{ uploadId: string; guess: object }>();
  };
  const start = async (who: 'north registrar' | 'south registrar', load: object): Promise<string> => {
    const answer = await p.ask(who, 'POST', '/api/loads', load);
    if (answer.status >= 300) throw new Error(answer.text);
    return answer.json<{ load: { id: string } }>().load.id;
  };
  const ofNobody = (answer: Answer): void => {
    expect(answer.status).toBe(404);
    expect(answer.text).not.toMatch(/Nantongo|Zulaika|Clinic/);
  };

  test('given to another organisation in the database, are not there for it', async () => {
    const { uploadId, guess } = await upload('south registrar', csv);
    const load = await start('south registrar', { uploadId, domain: 'urn:south:mrn', map: guess, dryRun: true });
    await asOwner(
      p.db,
      `UPDATE load.upload SET organisation_id = '${p.organisations.north}';
       UPDATE load.load SET organisation_id = '${p.organisations.north}'`,
    );
    for (const path of [`/api/loads/${load}`, `/api/loads/${load}/rejected`, `/api/loads/uploads/${uploadId}`])
      ofNobody(await p.ask('north registrar', 'GET', path));
    ofNobody(await p.ask('north registrar', 'POST', `/api/loads/uploads/${uploadId}/preview`, { map: guess }));
    ofNobody(
      await p.ask('north registrar', 'POST', '/api/loads', {
        ...{ uploadId, domain: 'urn:north:mrn', map: guess, dryRun: false },
      }),
    );
    const listed = await p.ask('north registrar', 'GET', '/api/loads');
    expect(listed.json<{ loads: unknown[] }>().loads).toEqual([]);
    expect((await p.ask('south registrar', 'GET', `/api/loads/${load}`)).status).toBe(200);
  });

  test('exchanged under a load that was begun, are not loaded by it', async () => {
    const theirs = await upload('south registrar', csv);
    const own = await upload('north registrar', csv.replaceAll('Nantongo', 'Okello'));
    const load = await start('north registrar', {
      ...{ uploadId: own.uploadId, domain: 'urn:north:mrn', map: own.guess, dryRun: false },
    });
    // Jobs run in the background process alone, which is not here: the load waits.
    await asOwner(p.db, `UPDATE load.load SET upload_id = '${theirs.uploadId}' WHERE load_id = '${load}'`);
    await p.services.jobs.start();
    await expect
      .poll(
        async () =>
          (await p.ask('north registrar', 'GET', `/api/loads/${load}`)).json<{ load: { state: string } }>().load.state,
        { timeout: 15_000 },
      )
      .toBe('failed');
    const found = await p.ask('north registrar', 'POST', '/api/clients/search', { text: 'Nantongo' });
    expect(found.text).not.toMatch(/Zulaika/);
  });

  test('more than its share is not taken of one organisation, and others go on', async () => {
    const pages = 'x'.repeat(1_000);
    await upload('north registrar', `id,given,family\n1,${pages},Okello\n`);
    await asOwner(
      p.db,
      `UPDATE load.upload SET size_bytes = 8589934592 WHERE organisation_id = '${p.organisations.north}'`,
    );
    const headers = { 'content-type': 'text/csv', 'x-file-name': 'Clinic.csv' };
    const refused = await p.ask('north registrar', 'POST', '/api/loads/uploads', csv, headers);
    expect([refused.status, refused.json<{ code: string }>().code]).toEqual([503, 'uploads-full']);
    expect((await upload('south registrar', csv)).uploadId).toMatch(/^[0-9a-f-]{36}$/);
  });
});
