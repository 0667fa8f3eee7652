import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CSV_HEADER, CSV_MAP, csvLine, people } from '../../../bench/people.ts';
import { type LoadFixture, loadFixture, OPERATOR } from '../../../test/support/load.ts';
import type { RouteDeclaration } from '../../platform/http/index.ts';
import { newId } from '../../crypto/index.ts';
import type { Load } from './index.ts';
import { createSpool, PIECE_BYTES } from './spool.ts';
import type { LoadView, MapDocument, UploadView } from './wire.ts';
import { handled } from '../../../test/support/handled.ts';

let f: LoadFixture;
beforeAll(async () => {
  f = await loadFixture();
});
afterAll(async () => {
  await f.jobs.stop();
  await f.close();
});

/** Calls a route as the door would, without the socket. */
async function call<T>(
  load: Load,
  method: string,
  path: string,
  input: { id?: string; name?: string; body?: unknown; fileName?: string } = {},
): Promise<T> {
  const route = load.routes.find(
    (candidate: RouteDeclaration) => candidate.method === method && candidate.path === path,
  );
  if (route === undefined) throw new Error(`no route ${method} ${path}`);
  const params = {
    ...(input.id !== undefined && { id: input.id }),
    ...(input.name !== undefined && { name: input.name }),
  };
  const { body: bodyInput } = route.input;
  const body = typeof bodyInput === 'string' ? input.body : bodyInput.parse(input.body);
  const reply = await handled(route, {
    actor: OPERATOR,
    method,
    url: path,
    baseUrl: 'https://load.test',
    params: route.input.params.parse(params),
    query: {},
    body,
    header: (name: string) => (name === 'x-file-name' ? input.fileName : undefined),
    cookie: () => undefined,
    signal: new AbortController().signal,
  });
  if (reply.body instanceof Readable) {
    let text = '';
    for await (const piece of reply.body) text += String(piece);
    return text as T;
  }
  if (typeof route.output !== 'string') route.output.parse(reply.body);
  return reply.body as T;
}

const upload = (csv: string | Uint8Array, fileName = 'people.csv') =>
  call<UploadView>(f.load, 'POST', '/api/loads/uploads', {
    body: Readable.from([Buffer.from(csv)]),
    fileName: encodeURIComponent(fileName),
  });
const start = (load: Load, uploadId: string, more: { domain: string; map: unknown; dryRun?: boolean }) =>
  call<{ load: LoadView }>(load, 'POST', '/api/loads', { body: { uploadId, ...more } });
const read = async (load: Load, id: string) =>
  (await call<{ load: LoadView }>(load, 'GET', '/api/loads/:id', { id })).load;

async function until(load: Load, id: string, done: (view: LoadView) => boolean): Promise<LoadView> {
  for (let i = 0; i < 2_000; i++) {
    const view = await read(load, id);
    if (done(view)) return view;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`the load stayed ${(await read(load, id)).state}`);
}

const CSV =
  'id,given name,surname,dob,sex\n1,Amina,Okello,12/03/1984,f\n2,Peter,Banda,25/12/1999,m\n3,,,,,\n4,Zoe,Zulu,31/04/1980,f\n';
const MAP = {
  id: 'id',
  given: 'given name',
  family: 'surname',
  gender: 'sex',
  birthDate: { column: 'dob', format: 'DD/MM/YYYY' },
};

describe('an upload', () => {
  test('shows columns, samples and a guess, and lies sealed', async () => {
    const view = await upload(CSV, 'Ärzte/../Patients Kampala.csv');
    expect(view).toMatchObject({
      fileName: 'Patients Kampala.csv',
      format: 'csv',
      delimiter: ',',
      sizeBytes: Buffer.byteLength(CSV),
      guess: MAP,
    });
    expect(view.columns[1]).toEqual({ name: 'given name', samples: ['Amina', 'Peter', 'Zoe'], filled: 3 });
    expect(view.problems.map(({ code }) => code)).toContain('ragged-rows');
    expect(await call(f.load, 'GET', '/api/loads/uploads/:id', { id: view.uploadId })).toEqual(view);
    const rows = await f.db.ownerDatabase.rows<{ all: string }>({
      name: 'load-test.everything',
      text: `SELECT (SELECT string_agg(encode(content, 'escape'), '') FROM load.upload_piece) || (SELECT string_agg(encode(detail, 'escape'), '') FROM load.upload) AS all`,
    });
    for (const secret of ['Amina', 'Okello', 'Kampala']) expect(rows[0]?.all).not.toContain(secret);
  });

  test('previews what the first rows become', async () => {
    const { uploadId } = await upload(CSV);
    const preview = await call<{ rows: unknown[] }>(f.load, 'POST', '/api/loads/uploads/:id/preview', {
      id: uploadId,
      body: { map: MAP },
    });
    expect(preview.rows).toHaveLength(4);
    expect(preview.rows[0]).toMatchObject({
      line: 2,
      fields: expect.arrayContaining([{ path: 'birthDate', label: 'Birth date', value: '1984-03-12' }]),
    });
    expect(preview.rows[2]).toMatchObject({ reject: { reason: 'the row has 6 fields, the header has 5' } });
    expect(preview.rows[3]).toMatchObject({ warnings: [{ column: 'dob' }] });
    const wrong = await call<{ problems: unknown[] }>(f.load, 'POST', '/api/loads/uploads/:id/preview', {
      id: uploadId,
      body: { map: { id: 'nope' } },
    });
    expect(wrong.problems).toMatchObject([{ level: 'error', code: 'map-columns-missing' }]);
  });

  test('that is no text is refused and leaves nothing behind', async () => {
    const pieces = () => f.count('SELECT count(*) AS n FROM load.upload_piece');
    const before = await pieces();
    await expect(upload(Buffer.from([0x50, 0x4b, 3, 4, 0, 0]), 'book.xlsx')).rejects.toMatchObject({
      code: 'file-not-text',
    });
    const broken = Readable.from(
      (async function* () {
        yield Buffer.alloc(600_000, 'x');
        throw new Error('the connection broke');
      })(),
    );
    await expect(call(f.load, 'POST', '/api/loads/uploads', { body: broken })).rejects.toThrow('the connection broke');
    expect(await pieces()).toBe(before);
  });

  test('is refused while too much waits already, and leaves nothing behind', async () => {
    const pieces = () => f.count('SELECT count(*) AS n FROM load.upload_piece');
    await upload(CSV);
    const before = await pieces();
    const spool = createSpool({ database: f.db.database, keyRing: f.keyRing }, 1_000, Number(before) * PIECE_BYTES);
    await expect(spool.write(newId(), Readable.from([Buffer.from(CSV)]))).rejects.toMatchObject({
      code: 'uploads-full',
    });
    expect(await pieces()).toBe(before);
  });

  test('that nobody loads is refused when its mapping does not fit, before anything starts', async () => {
    const { uploadId } = await upload(CSV);
    await expect(
      start(f.load, uploadId, { domain: 'urn:u:x', map: { id: 'id', given: 'nope' } }),
    ).rejects.toMatchObject({ code: 'map-columns-missing' });
    expect(await f.count(`SELECT count(*) AS n FROM nodes.domain WHERE system = 'urn:u:x'`)).toBe(0);
  });
});

describe('a load from the page', () => {
  beforeAll(() => f.jobs.start());

  test('runs as a job, and what was rejected can be downloaded', async () => {
    const { uploadId } = await upload(CSV);
    const dry = await start(f.load, uploadId, { domain: 'urn:u:one', map: MAP, dryRun: true });
    const checked = await until(f.load, dry.load.id, ({ state }) => state === 'done');
    expect(checked.counts).toMatchObject({ read: 4, created: 3, rejected: 1, warnings: 1 });
    const { load } = await start(f.load, uploadId, { domain: 'urn:u:one', map: MAP });
    const done = await until(f.load, load.id, ({ state }) => state === 'done');
    expect(done).toMatchObject({
      counts: checked.counts,
      rejectedAvailable: true,
      warningsAvailable: true,
      startedBy: 'root',
    });
    expect(done.bytesDone).toBe(done.bytesTotal);
    const rejected = await call<string>(f.load, 'GET', '/api/loads/:id/rejected', { id: load.id });
    expect(rejected).toBe(
      'id,given name,surname,dob,sex,careseal_line,careseal_column,careseal_reason\r\n3,,,,,4,,"the row has 6 fields, the header has 5",\r\n',
    );
    expect(await call<string>(f.load, 'GET', '/api/loads/:id/warnings', { id: load.id })).toContain(
      'is a day that does not exist',
    );
    // The file is not needed any more, and goes.
    expect(await f.count(`SELECT count(*) AS n FROM load.upload_piece WHERE upload_id = '${uploadId}'`)).toBe(0);
    expect(await f.load.figures()).toMatchObject({ failed: 0 });
  });

  test('is gone on with by another process where it stopped, nothing lost, nothing twice', async () => {
    await f.jobs.stop();
    const lines = [...people({ seed: 11, count: 1_500, duplicates: 0.2 })].map(csvLine);
    const { uploadId } = await upload([CSV_HEADER, ...lines].join('\n'));
    let batches = 0;
    const first = f.another({
      async submit(actor, submissions, options) {
        const result = await f.registry.submit(actor, submissions, options);
        // As if the process were killed after the third batch was committed: it never learns the outcome.
        return ++batches === 3 ? await new Promise(() => {}) : result;
      },
    });
    await first.jobs.start();
    const { load } = await start(first.load, uploadId, {
      domain: 'urn:u:kill',
      map: CSV_MAP,
    });
    const stuck = await until(first.load, load.id, ({ counts }) => counts.read >= 500);
    expect(stuck.state).toBe('running');
    // A new process of the same installation takes over what its predecessor had.
    const second = f.another();
    await second.jobs.start();
    const done = await until(second.load, load.id, ({ state }) => state === 'done');
    expect(done.counts).toMatchObject({ read: lines.length, created: lines.length, rejected: 0, unchanged: 0 });
    expect(
      await f.count(
        `SELECT count(*) AS n FROM registry.source s JOIN nodes.domain d ON d.id = s.domain_id WHERE d.system = 'urn:u:kill'`,
      ),
    ).toBe(lines.length);
    await second.jobs.stop();
  });

  test('can be cancelled; what was registered stays', async () => {
    const lines = [...people({ seed: 12, count: 3_000, duplicates: 0 })].map(csvLine);
    const { uploadId } = await upload([CSV_HEADER, ...lines].join('\n'));
    const third = f.another();
    await third.jobs.start();
    const { load } = await start(third.load, uploadId, {
      domain: 'urn:u:cancel',
      map: CSV_MAP,
    });
    await until(third.load, load.id, ({ counts }) => counts.read > 0);
    const { load: cancelled } = await call<{ load: LoadView }>(third.load, 'POST', '/api/loads/:id/cancel', {
      id: load.id,
    });
    expect(cancelled.state).toBe('cancelled');
    await third.jobs.idle();
    const registered = await f.count(
      `SELECT count(*) AS n FROM registry.source s JOIN nodes.domain d ON d.id = s.domain_id WHERE d.system = 'urn:u:cancel'`,
    );
    const after = await read(third.load, load.id);
    expect(after.counts.created).toBe(registered);
    expect(registered).toBeLessThan(lines.length);
    await expect(call(third.load, 'POST', '/api/loads/:id/cancel', { id: load.id })).rejects.toMatchObject({
      code: 'load-over',
    });
    await third.jobs.stop();
  });
});

describe('saved mappings', () => {
  test('are listed, replaced and deleted', async () => {
    const save = (map: unknown) => call(f.load, 'PUT', '/api/mappings/:name', { name: 'Clinic A', body: { map } });
    await save({ id: 'id' });
    await save({ id: 'rec_id', given: 'first' });
    const { mappings } = await call<{ mappings: { name: string; map: MapDocument }[] }>(f.load, 'GET', '/api/mappings');
    expect(mappings).toMatchObject([{ name: 'Clinic A', map: { id: 'rec_id', given: 'first' } }]);
    await call(f.load, 'DELETE', '/api/mappings/:name', { name: 'Clinic A' });
    await expect(call(f.load, 'DELETE', '/api/mappings/:name', { name: 'Clinic A' })).rejects.toMatchObject({
      code: 'mapping-not-found',
    });
  });
});

test('a rotation of the data key walks over everything that is sealed here', async () => {
  await upload(CSV);
  await call(f.load, 'PUT', '/api/mappings/:name', { name: 'A/B', body: { map: { id: 'id' } } }).catch(() => undefined);
  await call(f.load, 'PUT', '/api/mappings/:name', { name: 'B', body: { map: { id: 'id' } } });
  for (const participant of f.load.resealParticipants) {
    let visited = 0;
    let cursor: string | undefined;
    do {
      const progress = await f.db.database.transaction((tx) =>
        participant.resealBatch(tx, { kind: 'data', cursor, limit: 3 }),
      );
      visited += progress.visited;
      cursor = progress.cursor;
    } while (cursor !== undefined);
    expect(visited, participant.name).toBe(await participant.count(f.db.database, 'data'));
    expect(visited, participant.name).toBeGreaterThan(0);
  }
});

describe('a file that was sent by mistake', () => {
  type Waiting = { uploads: { uploadId: string; fileName: string; busy: boolean }[] };
  const waiting = async () => (await call<Waiting>(f.load, 'GET', '/api/loads/uploads')).uploads;
  const csv = [CSV_HEADER, ...[...people({ seed: 13, count: 1, duplicates: 0 })].map(csvLine), ''].join('\n');
  const pieces = { name: 'test.pieces', text: 'SELECT count(*)::int AS n FROM load.upload_piece WHERE upload_id = $1' };

  test('is found among those that wait, and deleted whole before its day is over', async () => {
    const [wrong, right] = [await upload(csv, 'wrong.csv'), await upload(csv, 'right.csv')];
    const named = (await waiting()).filter(({ uploadId }) => [wrong.uploadId, right.uploadId].includes(uploadId));
    expect(named.map(({ fileName, busy }) => [fileName, busy])).toEqual([
      ['right.csv', false],
      ['wrong.csv', false],
    ]);
    await call(f.load, 'DELETE', '/api/loads/uploads/:id', { id: wrong.uploadId });
    expect((await waiting()).map(({ uploadId }) => uploadId)).not.toContain(wrong.uploadId);
    expect(await f.db.database.rows(pieces, [wrong.uploadId])).toEqual([{ n: 0 }]);
    await expect(call(f.load, 'GET', '/api/loads/uploads/:id', { id: wrong.uploadId })).rejects.toMatchObject({
      code: 'upload-not-found',
    });
    await expect(call(f.load, 'DELETE', '/api/loads/uploads/:id', { id: wrong.uploadId })).rejects.toMatchObject({
      code: 'upload-not-found',
    });
    expect((await call<UploadView>(f.load, 'GET', '/api/loads/uploads/:id', { id: right.uploadId })).fileName).toBe(
      'right.csv',
    );
  });

  test('is not deleted while it is loaded; after the load was cancelled it is', async () => {
    const { uploadId } = await upload(csv, 'busy.csv');
    const loadId = newId();
    await f.db.database.transaction(async (tx) => {
      const sql = 'UPDATE load.upload SET load_id = $2 WHERE upload_id = $1';
      await tx.run({ name: 'test.claim', text: sql }, [uploadId, loadId]);
      const insert = `INSERT INTO load.load (load_id, state, upload_id, format, domain, dry_run, bytes_total, started_at, touched_at, detail)
        VALUES ($1, 'running', $2, 'csv', 'urn:x', false, 1, now(), now(), '')`;
      await tx.run({ name: 'test.busy', text: insert }, [loadId, uploadId]);
    });
    expect((await waiting()).find((one) => one.uploadId === uploadId)?.busy).toBe(true);
    const act = () => call(f.load, 'DELETE', '/api/loads/uploads/:id', { id: uploadId });
    await expect(act()).rejects.toMatchObject({ code: 'upload-in-use' });
    const over = { name: 'test.over', text: `UPDATE load.load SET state = 'cancelled' WHERE load_id = $1` };
    await f.db.database.run(over, [loadId]);
    await act();
    await f.db.ownerDatabase.run({ name: 'test.gone', text: 'DELETE FROM load.load WHERE load_id = $1' }, [loadId]);
  });
});
