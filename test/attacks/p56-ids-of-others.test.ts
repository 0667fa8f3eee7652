import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/crypto/index.ts';
import { type Address, addressesOf, type ForeignIds, foreignIds, type Kind } from '../support/foreign-ids.ts';
import { type Programme, programme, type Who } from '../support/organisations.ts';

/**
 * P56: an id of another organisation's thing, whatever it is a thing of, is answered like an id of nothing: the same status, the
 * same words. Every address of the users' door that takes an id in its path or its body is asked with a body that it would take,
 * by everybody of the north, about things of the south that are really there.
 */
let p: Programme;
let foreign: ForeignIds;
const NORTH: readonly Who[] = ['north administrator', 'north steward', 'north registrar'];
const CLIENT = ['client', 'record'] as const;
const ADDRESSES = addressesOf(() => foreign);
const their = (kind: Kind): string => foreign.their(kind);

/** Things of the whole programme or of everybody: no organisation's own, and for the centre where they are more than names. */
const OF_NO_ORGANISATION: readonly RegExp[] = [
  /^\/api\/(alerts|audit|bans|deliveries|forwarding|notices|organisations|policy|providers|roles|trust)\//,
  // By name, not by id; who gets whose is asked below.
  /^\/api\/mappings\//,
  /^\/fhir\/CapabilityStatement\//,
  /^\/pki\//,
];

beforeAll(async () => {
  p = await programme();
  foreign = await foreignIds(p);
}, 120_000);
afterAll(() => p.close());

/** What is seen but ids and times. */
const seen = (text: string): string =>
  text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '#').replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '#');

async function ask(who: Who, { method, path, body }: Address, id: string): Promise<readonly [number, string]> {
  const filled = path
    .replace(':version', '1')
    .replace(':organisation', p.organisations.north)
    .replace(':sha256', 'a'.repeat(64))
    .replace(':token', their('token'))
    .replace(':id', id);
  const answer = await p.ask(who, method, filled, body?.(id));
  return [answer.status, seen(answer.text)];
}

describe.each(NORTH)('%s', (who) => {
  test.each(ADDRESSES.map((address) => [`${address.method} ${address.path}`, address] as const))(
    '%s',
    async (_name, address) => {
      const nothing = await ask(who, address, newId());
      for (const kind of address.kinds) expect(await ask(who, address, their(kind)), kind).toEqual(nothing);
      // A body that is refused as malformed would hide what the address says.
      expect([400, 415, 500], nothing[1]).not.toContain(nothing[0]);
    },
  );
});

test('nothing that the north tried to put on a record of the south stands in its accounting of disclosures', async () => {
  for (const kind of CLIENT) {
    const list = await p.ask('centre administrator', 'GET', `/api/clients/${their(kind)}/disclosures`);
    expect([list.status, list.json<{ rows: { to: string }[] }>().rows.map(({ to }) => to)]).toEqual([200, []]);
  }
  // Who reaches the client does record it.
  const at = `/api/clients/${their('client')}/disclosures`;
  const told = { to: 'District hospital', what: 'Summary', why: 'Referral' };
  expect((await p.ask('south registrar', 'POST', at, told)).status).toBe(201);
  expect((await p.ask('south registrar', 'POST', `/api/clients/${newId()}/copied`)).status).toBe(404);
});

test('a mapping is its organisation’s: unseen and unchanged by others, who may have one of the same name', async () => {
  const at = '/api/mappings/Monthly';
  const of = (column: string) => ({ map: { given: column } });
  expect((await p.ask('south registrar', 'PUT', at, of('prenom'))).status).toBe(200);
  const listed = async (who: Who) =>
    (await p.ask(who, 'GET', '/api/mappings')).json<{ mappings: { name: string; updatedBy: string }[] }>().mappings;
  expect(await listed('north registrar')).toEqual([]);
  expect((await p.ask('north registrar', 'DELETE', at)).status).toBe(404);
  expect((await p.ask('north registrar', 'PUT', at, of('nom'))).status).toBe(200);
  expect(await listed('south registrar')).toMatchObject([
    { name: 'Monthly', updatedBy: 'south registrar', ...of('prenom') },
  ]);
  expect((await p.ask('centre registrar', 'PUT', '/api/mappings/National', of('given'))).status).toBe(200);
  expect((await listed('north registrar')).map(({ name, updatedBy }) => [name, updatedBy])).toEqual([
    ['Monthly', 'north registrar'],
    ['National', 'the central administration'],
  ]);
  expect((await p.ask('north registrar', 'DELETE', '/api/mappings/National')).status).toBe(404);
  expect((await p.ask('north registrar', 'PUT', '/api/mappings/National', of('vorname'))).status).toBe(200);
  expect(await listed('south registrar')).toMatchObject([{ name: 'Monthly' }, { name: 'National', ...of('given') }]);
});

test('every address of the users’ door that takes an id is asked', () => {
  const asked = new Set(ADDRESSES.map(({ method, path }) => `${method} ${path.split('?')[0]}`));
  const golden = readFileSync(join(import.meta.dirname, '../golden/routes.txt'), 'utf8')
    .trim()
    .split('\n');
  const missing = golden.flatMap((line) => {
    const [door = '', method = '', path = ''] = (line.split(' | ')[0] ?? '').split(' ');
    // Those whose reach must be everything have no other organisation to look into.
    const isBounded = !line.includes(', everywhere');
    const needs = isBounded && path.includes(':') && !OF_NO_ORGANISATION.some((one) => one.test(path));
    return door === 'users' && needs && !asked.has(`${method} ${path}`) ? [`${method} ${path}`] : [];
  });
  expect(missing).toEqual([]);
});
