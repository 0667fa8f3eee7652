import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { csvLine, CSV_HEADER, CSV_MAP, people } from '../../../bench/people.ts';
import { userActor as steward } from '../../../test/support/audit.ts';
import { handled } from '../../../test/support/handled.ts';
import { type ModelsFixture, modelsFixture } from '../../../test/support/models.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { UploadView } from '../load/wire.ts';
import type { EvaluationReport, ModelsReply, StudyReportReply, StudyView } from './wire.ts';

/** Who works with models and may bring files. */
const permissions = new Set([...steward.principal.permissions, 'client.load' as const]);
const userActor: Actor = {
  ...steward,
  principal: {
    ...steward.principal,
    permissions,
    reach: new Map([...permissions].map((permission) => [permission, 'all'])),
  } as Actor['principal'],
};

let f: ModelsFixture;
beforeAll(async () => {
  f = await modelsFixture();
});
afterAll(() => f.close());

const CSV = [CSV_HEADER, ...[...people({ seed: 5, count: 700, duplicates: 0.3 })].map(csvLine)].join('\n');

async function upload(text: string, actor: Actor = userActor): Promise<string> {
  const route = f.load.routes.find(({ method, path }) => method === 'POST' && path === '/api/loads/uploads');
  if (!route) throw new Error('no route for uploads');
  const header = (name: string) => (name === 'x-file-name' ? 'people.csv' : undefined);
  const body = Readable.from([Buffer.from(text)]);
  const reply = await handled(route, { actor, params: {}, query: {}, body, header });
  return (reply.body as UploadView).uploadId;
}
const begin = (body: object, actor: Actor = userActor) =>
  f.call<{ study: StudyView }>('POST /api/models/evaluate', {
    body: { map: CSV_MAP, truth: 'person', ...body },
    actor,
  });
const pieces = async (id: string) =>
  (
    await f.db.ownerDatabase.rows<{ n: number }>(
      { name: 'evaluation-test.pieces', text: 'SELECT count(*)::int AS n FROM load.upload_piece WHERE upload_id = $1' },
      [id],
    )
  )[0]?.n;
const view = async (id: string) =>
  (await f.call<ModelsReply>('GET /api/models')).studies.find((study) => study.id === id);
async function reportOf(id: string): Promise<EvaluationReport> {
  const { report } = await f.call<StudyReportReply>('GET /api/models/studies/:id', { params: { id } });
  if (report.kind !== 'evaluation') throw new Error(report.kind);
  return report;
}

describe('judging by a file', () => {
  it('is cancelled while it waits or works, and the file waits for nobody but its day', async () => {
    const uploadId = await upload(CSV);
    const { study } = await begin({ uploadId });
    await f.call('POST /api/models/studies/:id/cancel', { params: { id: study.id } });
    await f.jobs.start();
    await f.jobs.idle();
    expect(await view(study.id)).toMatchObject({ state: 'cancelled' });
    await expect(reportOf(study.id)).rejects.toMatchObject({ code: 'study-not-found' });
  });

  it('answers what was found and what was wrong, loads nothing and forgets the file', async () => {
    const uploadId = await upload(CSV);
    const { study } = await begin({ uploadId });
    await f.jobs.idle();
    const { found, fileName, truth } = await reportOf(study.id);
    expect({ fileName, truth }).toEqual({ fileName: 'people.csv', truth: 'person' });
    expect(found).toMatchObject({ model: { trained: true }, rejected: 0 });
    expect(found.linked.precision).toBeGreaterThan(0.97);
    expect(found.linkedOrReviewed.recall).toBeGreaterThan(0.9);
    expect(found.blocking.rules.length).toBeGreaterThan(0);
    const [worst] = [...found.worst.falseLinks, ...found.worst.misses];
    expect(worst?.values?.map(({ field }) => field)).toContain('family');
    expect(JSON.stringify(found)).not.toContain('"person"');
    expect(await pieces(uploadId)).toBe(0);
    expect((await f.call<ModelsReply>('GET /api/models')).records).toBe(0);
    // What it found lies sealed: the worst pairs hold what their records hold.
    const [row] = await f.db.ownerDatabase.rows<{ all: string }>({
      name: 'evaluation-test.sealed',
      text: `SELECT string_agg(encode(report, 'escape') || encode(request, 'escape'), '') AS all FROM models.study WHERE report IS NOT NULL`,
    });
    expect(row?.all).not.toContain('worst');
    expect(row?.all).not.toContain('people.csv');
  });

  it('takes a kept model instead of training one', async () => {
    const [shipped] = (await f.call<ModelsReply>('GET /api/models')).models;
    const { study } = await begin({ uploadId: await upload(CSV), modelId: shipped?.id });
    await f.jobs.idle();
    const { found } = await reportOf(study.id);
    expect(found.model).toMatchObject({ version: shipped?.version, trained: false });
    expect(found.linked.precision).toBeGreaterThan(0.97);
  });

  it('says what is wrong with a file, and forgets it all the same', async () => {
    const uploadId = await upload(CSV);
    const { study } = await begin({ uploadId, truth: 'nobody' });
    await f.jobs.idle();
    expect(await view(study.id)).toMatchObject({ state: 'failed', error: expect.stringContaining('lacks a column') });
    expect(await pieces(uploadId)).toBe(0);
    const mapped = await begin({ uploadId: await upload(CSV), truth: 'surname' });
    await f.jobs.idle();
    expect(await view(mapped.study.id)).toMatchObject({
      error: expect.stringContaining('uses the column of the truth'),
    });
  });

  it.each([
    ['one record', ['1,1,Anna,Okello,f,1980-01-01,,,,,,']],
    ['empty columns', Array.from({ length: 50 }, (_, at) => `${at},${at},,,,,,,,,,`)],
    [
      'names of other scripts, signs and a thousand letters',
      [
        `1,1,${'أحمد'.repeat(250)},😀😀,f,1980-01-01,,,,,,`,
        `2,1,${'أحمد'.repeat(250)},😀😀,f,1980-01-01,,,,,,`,
        '3,3,=cmd(),\u202Eolleko,m,1981-01-01,,,,,,',
      ],
    ],
  ])('judges an unusual file and links no strangers: %s', async (_what, rows) => {
    const { study } = await begin({ uploadId: await upload([CSV_HEADER, ...rows].join('\n')) });
    await f.jobs.idle();
    expect(await view(study.id)).toMatchObject({ state: 'done' });
    const { found } = await reportOf(study.id);
    expect(found.records).toBe(rows.length);
    expect(found.linked.precision).toBe(1);
  });

  it('refuses what is too large, no CSV, or somebody else’s', async () => {
    const large = await upload(`${CSV_HEADER}\n${'1,1,Anna,Okello,f,1980-01-01,,,,,,\n'.repeat(620_000)}`);
    await expect(begin({ uploadId: large })).rejects.toMatchObject({ code: 'file-too-large' });
    const many = await begin({
      uploadId: await upload(`person,n\n${'1,Anna\n'.repeat(100_001)}`),
      map: { given: 'n' },
    });
    await f.jobs.idle();
    expect(await view(many.study.id)).toMatchObject({ error: expect.stringContaining('100,000 rows') });
    const ndjson = await upload('{"resourceType":"Patient"}\n');
    await expect(begin({ uploadId: ndjson })).rejects.toMatchObject({ code: 'file-not-csv' });
    const elsewhere: Actor = {
      ...userActor,
      principal: {
        ...userActor.principal,
        reach: new Map([...permissions].map((one) => [one, one === 'client.load' ? [] : 'all'])),
      } as Actor['principal'],
    };
    await expect(begin({ uploadId: await upload(CSV) }, elsewhere)).rejects.toMatchObject({ code: 'upload-not-found' });
  });
});
