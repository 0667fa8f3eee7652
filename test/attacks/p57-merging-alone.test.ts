import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Programme, programme, type Who } from '../support/organisations.ts';
import { person } from '../support/registry.ts';

/**
 * P57: nobody makes two clients one alone where two people have to agree, nor without the right to decide about links: not by
 * FHIR's merges either, which are for the systems that speak of their own records.
 */
let p: Programme;
let number = 0;
/** Nobody resembles anybody else: only merges make two of them one. */
const GIVEN = ['Amina', 'Peter', 'Zulaika', 'Brighton', 'Chidi', 'Eshe', 'Hamza', 'Ifeoma'];
const FAMILY = ['Okello', 'Mukasa', 'Banda', 'Wanjiru'];
const PEOPLE = Array.from({ length: 40 }, (_, at) => {
  const name = `${GIVEN[at % 8]}${'abcdefghijklmnopqrstuvwxyz'[at % 26]?.repeat(3)}`;
  return [name, `${FAMILY[at % 4]}${GIVEN[(at * 3 + 1) % 8]}`, `${1930 + at}-0${(at % 9) + 1}-1${at % 9}`] as const;
});
type Registered = Awaited<ReturnType<Programme['register']>> & { readonly patient: ReturnType<typeof person> };
let one: Registered;
let other: Registered;

beforeAll(async () => {
  p = await programme();
}, 120_000);
afterAll(() => p.close());

async function register(): Promise<Registered> {
  const [given = '', family = '', birthDate = ''] = PEOPLE[number] ?? [];
  const fields = { key: ['urn:north:mrn', `N-${++number}`] as [string, string], given, family, birthDate };
  return { ...(await p.register('north registrar', fields)), patient: person(fields) };
}
beforeEach(async () => {
  one = await register();
  other = await register();
});

const born = ({ patient: { birthDate } }: Registered) => (birthDate === undefined ? {} : { birthDate });
const rule = (secondPerson: string) => p.ask('centre administrator', 'PUT', '/api/review-rules', { secondPerson });
const replacedBy = (survivor: string) => ({
  ...one.patient,
  id: one.source,
  active: false,
  link: [{ type: 'replaced-by', other: { reference: `Patient/${survivor}` } }],
});
const parameter = (name: string, id: string) => ({ name, valueReference: { reference: `Patient/${id}` } });
const WAYS: readonly (readonly [
  string,
  (who: Who, headers?: Record<string, string>) => ReturnType<Programme['ask']>,
])[] = [
  ['PUT by id', (who, headers) => p.ask(who, 'PUT', `/fhir/Patient/${one.source}`, replacedBy(other.source), headers)],
  [
    'PUT by identifier',
    (who, headers) => {
      const [{ system, value } = {}] = one.patient.identifier ?? [];
      return p.ask(who, 'PUT', `/fhir/Patient?identifier=${system}|${value}`, replacedBy(other.source), headers);
    },
  ],
  [
    '$merge',
    (who, headers) => {
      const asked = [parameter('source-patient', one.source), parameter('target-patient', other.source)];
      return p.ask(who, 'POST', '/fhir/Patient/$merge', { resourceType: 'Parameters', parameter: asked }, headers);
    },
  ],
  [
    'a feed message',
    (who, headers) => {
      const entry = { fullUrl: one.source, request: { method: 'PUT', url: `Patient/${one.source}` } };
      const resource = {
        resourceType: 'Bundle',
        type: 'history',
        entry: [{ ...entry, resource: replacedBy(other.source) }],
      };
      const header = {
        ...{ resourceType: 'MessageHeader', eventUri: 'urn:ihe:iti:pmir:2019:patient-feed' },
        ...{ source: { endpoint: 'https://a.example' }, destination: [{ endpoint: 'https://b.example' }] },
      };
      const message = { resourceType: 'Bundle', type: 'message', entry: [{ resource: header }, { resource }] };
      return p.ask(who, 'POST', '/fhir/$process-message', message, headers);
    },
  ],
];
const goldenOf = async (id: string): Promise<string> =>
  (await p.ask('centre steward', 'GET', `/fhir/Patient/${id}`))
    .json<{ link?: { other: { reference: string } }[] }>()
    .link?.map(({ other: { reference } }) => reference)
    .join() ?? '';
const areOne = async (): Promise<boolean> => (await goldenOf(one.golden)).includes(other.golden);

describe.each(WAYS)('%s', (_name, merge) => {
  test('does not let somebody without the right to decide about links merge two clients', async () => {
    await rule('never');
    const answer = await merge('north registrar');
    expect([answer.status, await areOne()]).toEqual([403, false]);
  });

  test('does not let one person merge where two have to agree', async () => {
    await rule('always');
    const answer = await merge('north steward');
    expect([answer.status, answer.text.includes('Two people decide'), await areOne()]).toEqual([409, true, false]);
    const wanted = { label: 'script', permissions: ['client.read', 'client.write'], days: 1 };
    const token = await p.ask('north steward', 'POST', '/api/personal-tokens', wanted);
    const { secret } = token.json<{ secret: string }>();
    const byToken = await merge('north steward', { authorization: `Bearer ${secret}`, cookie: '' });
    expect([byToken.status, await areOne()]).toEqual([403, false]);
  });

  test('is a steward’s where one person is enough, over clients of the own organisation', async () => {
    await rule('never');
    const answer = await merge('north steward');
    expect([answer.status, await areOne()], answer.text).toEqual([200, true]);
  });

  test('does not change a client that holds another organisation’s records', async () => {
    await rule('never');
    const theirs = { key: ['urn:south:mrn', `S-${number}`] as [string, string] };
    const [{ given: [given = ''] = [], family = '' } = {}] = other.patient.name ?? [];
    const common = await p.register('south registrar', { ...theirs, given, family, ...born(other) });
    expect(common.golden).toBe(other.golden);
    const answer = await merge('north steward');
    expect([answer.status, await areOne()]).toEqual([403, false]);
  });
});

test('what somebody else took apart is put back by two people where two have to agree, and by whoever did it alone', async () => {
  await rule('never');
  const merged = await p.ask('north steward', 'POST', '/api/clients/merge', {
    ...{ survivor: other.golden, other: one.golden, reason: 'the same person' },
  });
  expect(merged.status, merged.text).toBe(200);
  const unlink = { sourceId: one.source, reason: 'two people after all' };
  const apart = await p.ask('north steward', 'POST', `/api/clients/${other.golden}/unlink`, unlink);
  expect(apart.status, apart.text).toBe(200);
  const { entryId } = apart.json<{ entryId: string }>();
  await rule('always');
  const undo = (who: Who) =>
    p.ask(who, 'POST', `/api/clients/${other.golden}/undo`, { entryId, reason: 'one person all the same' });
  const together = async () => (await goldenOf(other.golden)).includes(one.source);
  const alone = await undo('north administrator');
  expect([alone.status, alone.json<{ code: string }>().code, await together()]).toEqual([
    409,
    'second-person-needed',
    false,
  ]);
  expect([(await undo('north steward')).status, await together()]).toEqual([200, true]);
});
