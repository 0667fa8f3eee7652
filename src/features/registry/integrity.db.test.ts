import type { Patient } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fhirFixture } from '../../../test/support/fhir-client.ts';
import { person, type RegistryFixture, registryFixture } from '../../../test/support/registry.ts';
import { Problem } from '../../kernel/problem.ts';
import { createRehearsal, type Submission, type SubmissionOutcome, type SubmitOptions } from './index.ts';

let f: RegistryFixture;
beforeAll(async () => {
  f = await registryFixture();
});
afterAll(() => f.close());

type Written = Exclude<SubmissionOutcome, { status: 'refused' }>;

let serial = 0;
/** Somebody who resembles nobody else in this file. */
function nobody() {
  const n = serial++;
  const given = ['Amina', 'Kizito', 'Zubeda', 'Ocen', 'Priscilla', 'Wycliffe', 'Yusuf', 'Harriet', 'Denis', 'Esther'][
    n % 10
  ];
  const family = ['Okello', 'Mirembe', 'Barasa', 'Lukwago', 'Tumusiime', 'Chebet', 'Dalmar', 'Ssenfuma'][n % 8];
  return { given: given ?? '', family: family ?? '', birthDate: `19${40 + n}-0${1 + (n % 9)}-${10 + n}` };
}

async function submit(submissions: Submission[], options?: SubmitOptions): Promise<readonly SubmissionOutcome[]> {
  return (await f.registry.submit(f.operator, submissions, options)).outcomes;
}

function written(outcome: SubmissionOutcome | undefined): Written {
  if (!outcome || outcome.status === 'refused') throw new Error(outcome?.problem.code ?? 'nothing');
  return outcome;
}

async function upsert(system: string, key: string, patient: ReturnType<typeof person>): Promise<Written> {
  return written((await submit([{ kind: 'upsert', domain: await f.domain(system), key, patient }]))[0]);
}

describe('a record with more than one identifier of its domain', () => {
  it('is found by the one that named it, however often it comes', async () => {
    const patient = person({
      ...nobody(),
      more: {
        identifier: [
          { system: 'urn:i:two', value: 'A' },
          { system: 'urn:i:two', value: 'B' },
        ],
      },
    });
    const first = await upsert('urn:i:two', 'B', patient);
    const again = await upsert('urn:i:two', 'B', patient);
    expect([again.status, again.id]).toEqual(['unchanged', first.id]);
  });
});

describe('an identifier that comes later', () => {
  it('names the record from then on', async () => {
    const one = nobody();
    const domain = await f.domain('urn:i:later');
    const made = written((await submit([{ kind: 'create', domain, patient: person(one) }]))[0]);
    const update = { ...person({ ...one, key: ['urn:i:later', 'L-1'] }), id: made.id };
    expect(written((await submit([{ kind: 'update', id: made.id, patient: update }]))[0]).status).toBe('updated');
    const again = await upsert('urn:i:later', 'L-1', person({ ...one, key: ['urn:i:later', 'L-1'] }));
    expect([again.status, again.id]).toEqual(['unchanged', made.id]);
  });

  it('cannot be one that another record has', async () => {
    const domain = await f.domain('urn:i:taken');
    const owner = await upsert('urn:i:taken', 'T-1', person({ ...nobody(), key: ['urn:i:taken', 'T-1'] }));
    const one = nobody();
    const made = written((await submit([{ kind: 'create', domain, patient: person(one) }]))[0]);
    const update = { ...person({ ...one, key: ['urn:i:taken', 'T-1'] }), id: made.id };
    const [outcome] = await submit([{ kind: 'update', id: made.id, patient: update }]);
    expect(outcome?.status === 'refused' && outcome.problem.code).toBe('duplicate-key');
    expect(await f.registry.findByKey('urn:i:taken', 'T-1')).toBe(owner.id);
  });
});

describe('a transaction that was undone', () => {
  it('leaves nothing behind in what records are compared by', async () => {
    const who = nobody();
    const system = 'urn:i:undone';
    const domain = await f.domain(system);
    const made = await upsert(system, 'U-1', person({ ...who, key: [system, 'U-1'] }));
    const wrong = nobody();
    // Two changes of one record in one undone transaction: the second one reads what the first one wrote.
    await submit(
      [
        { kind: 'upsert', domain, key: 'U-1', patient: person({ ...wrong, key: [system, 'U-1'] }) },
        { kind: 'upsert', domain, key: 'U-1', patient: person({ ...wrong, gender: 'male', key: [system, 'U-1'] }) },
      ],
      { rehearsal: createRehearsal() },
    );
    const right = await upsert(system, 'U-1', person({ ...who, gender: 'female', key: [system, 'U-1'] }));
    expect(right.version).toBe(made.version + 1);
    const asWrong = await f.registry.match(person(wrong));
    expect(asWrong.candidates).toEqual([]);
    const asRight = await f.registry.match(person(who));
    expect(asRight.candidates.map(({ sourceId }) => sourceId)).toEqual([made.id]);
  });
});

describe('a record that is too much', () => {
  const tooMuch = () =>
    person({
      key: ['urn:i:much', `M-${serial++}`],
      more: {
        name: Array.from({ length: 50 }, (_, n) => ({
          family: `Fam${n}`,
          given: Array.from({ length: 50 }, (__, m) => `g${n}x${m}y${serial}`),
        })),
      },
    });

  it('is refused by itself, and those beside it are registered', async () => {
    const domain = await f.domain('urn:i:much');
    const bad = tooMuch();
    const good = person({ ...nobody(), key: ['urn:i:much', 'good'] });
    const outcomes = await Promise.allSettled([
      submit([{ kind: 'create', domain, patient: good }]),
      submit([{ kind: 'create', domain, patient: bad }]),
    ]);
    expect(outcomes[0]).toMatchObject({ status: 'fulfilled', value: [{ status: 'created' }] });
    expect(outcomes[1]).toMatchObject({
      status: 'fulfilled',
      value: [{ status: 'refused', problem: { kind: 'unprocessable' } }],
    });
  });
});

describe('callers whose records share a transaction', () => {
  it('do not fall with a load that is cancelled at that moment', async () => {
    const domain = await f.domain('urn:i:shared');
    const record = () => person({ ...nobody(), key: ['urn:i:shared', `C-${serial++}`] });
    const cancelled = new Problem('conflict', 'load-cancelled', 'The load was cancelled.');
    const alongside = () => Promise.reject(cancelled);
    const outcomes = await Promise.allSettled([
      submit([{ kind: 'create', domain, patient: record() }]),
      submit([{ kind: 'create', domain, patient: record() }], { alongside }),
      submit([{ kind: 'create', domain, patient: record() }]),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('do not fall with one whose record is broken in the database', async () => {
    const domain = await f.domain('urn:i:broken');
    const who = nobody();
    const broken = await upsert('urn:i:broken', 'B-1', person({ ...who, key: ['urn:i:broken', 'B-1'] }));
    await f.db.ownerDatabase.rows(
      { name: 'test.break', text: 'UPDATE registry.source SET match_record = $2 WHERE source_id = $1' },
      [broken.id, new Uint8Array(40)],
    );
    const outcomes = await Promise.allSettled([
      submit([{ kind: 'create', domain, patient: person({ ...nobody(), key: ['urn:i:broken', 'B-2'] }) }]),
      submit([
        {
          kind: 'upsert',
          domain,
          key: 'B-1',
          patient: person({ ...who, gender: 'male', key: ['urn:i:broken', 'B-1'] }),
        },
      ]),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });
});

describe('a record that a steward placed', () => {
  it('is never said to be linked by a model: what it resembles is asked', async () => {
    const [one, other] = [nobody(), nobody()];
    const known = await upsert(
      'urn:i:p1',
      'P-1',
      person({ ...one, phone: '+256 772 300111', key: ['urn:i:p1', 'P-1'] }),
    );
    const placed = await upsert('urn:i:p2', 'P-2', person({ ...other, key: ['urn:i:p2', 'P-2'] }));
    await f.db.ownerDatabase.rows(
      { name: 'test.pin', text: 'UPDATE registry.source SET pinned = true WHERE source_id = $1' },
      [placed.id],
    );
    const changed = await upsert(
      'urn:i:p2',
      'P-2',
      person({ ...one, phone: '+256 772 300111', key: ['urn:i:p2', 'P-2'] }),
    );
    expect(changed).toMatchObject({ status: 'updated', linked: false, reviewsOpened: 1, goldenId: placed.goldenId });
    expect(changed.goldenId).not.toBe(known.goldenId);
  });
});

describe('searches that no index helps', () => {
  it('answer what was asked for, not everybody', async () => {
    const who = nobody();
    await upsert('urn:i:search', 'S-1', person({ ...who, gender: 'male', key: ['urn:i:search', 'S-1'] }));
    const node = fhirFixture(f).as(await f.node('searcher', 'urn:i:searcher'));
    const found = async (query: string) => {
      const answer = await node.get(`/fhir/Patient?${query}`);
      return (answer.json.entry ?? []).map((entry: { resource: Patient }) => entry.resource);
    };
    for (const one of await found('gender:not=male')) expect(one.gender).not.toBe('male');
    expect(await found('family:contains=nosuchnameanywhere')).toEqual([]);
    expect(
      await found('family:contains=nosuchnameanywhere&_tag=https://careseal.org/fhir/record-kind%7Csource'),
    ).toEqual([]);
    for (const one of await found('birthdate:missing=true')) expect(one.birthDate).toBeUndefined();
  });
});
