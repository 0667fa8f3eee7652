import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { person, type RegistryFixture, registryFixture } from '../../../test/support/registry.ts';
import type { ResourceId } from '../../kernel/ids.ts';

let f: RegistryFixture;
beforeAll(async () => {
  f = await registryFixture();
});
afterAll(() => f.close());

async function put(key: string, fields: Parameters<typeof person>[0]) {
  const system = `urn:chains:${key[0]}`;
  const { outcomes } = await f.registry.submit(f.operator, [
    { kind: 'upsert', domain: await f.domain(system), key, patient: person({ ...fields, key: [system, key] }) },
  ]);
  const [outcome] = outcomes;
  if (!outcome || outcome.status === 'refused') throw new Error(outcome?.problem.code);
  return outcome;
}
const causes = async (id: ResourceId) =>
  (
    await f.db.ownerDatabase.rows<{ cause: string }>(
      {
        name: 'chains-test.causes',
        text: `SELECT cause FROM registry.review WHERE state = 'open' AND (a = $1 OR b = $1) ORDER BY cause`,
      },
      [id],
    )
  ).map(({ cause }) => cause);

const AMINA = {
  given: 'Zulaikha',
  family: 'Nantongo',
  birthDate: '1984-03-12',
  gender: 'female',
  phone: '0772 111 222',
} as const;
const KOFI = {
  given: 'Kwabena',
  family: 'Mensah',
  birthDate: '1959-10-30',
  gender: 'male',
  phone: '0701 888 999',
} as const;

describe('one bad record', () => {
  it('that bears two people’s names, dates and numbers does not chain them', async () => {
    const amina = await put('a1', AMINA);
    const kofi = await put('b1', KOFI);
    // As a mixed-up file has it: both names, both numbers, one birth date.
    const bridge = await put('c1', {
      birthDate: AMINA.birthDate,
      gender: 'female',
      more: {
        name: [
          { given: [AMINA.given], family: AMINA.family },
          { given: [KOFI.given], family: KOFI.family },
        ],
        telecom: [
          { system: 'phone', value: AMINA.phone },
          { system: 'phone', value: KOFI.phone },
        ],
      },
    });
    expect(amina.goldenId).not.toBe(kofi.goldenId);
    const again = await put('d1', KOFI);
    const now = await f.registry.goldenOf([amina.id, kofi.id, bridge.id, again.id]);
    expect(now.get(amina.id)).not.toBe(now.get(kofi.id));
    expect(now.get(again.id)).toBe(now.get(kofi.id));
  });

  it('that is one person’s already, takes no stranger to them by a number that both have', async () => {
    const number = { system: 'urn:national-id', value: 'CM84031200XYZ' };
    const first = await put('a2', { ...AMINA, family: 'Nakibuuka', phone: '0772 333 444' });
    // A clerk typed somebody else's card number.
    const wrong = await put('b2', {
      ...AMINA,
      family: 'Nakibuuka',
      phone: '0772 333 444',
      more: { identifier: [{ system: 'urn:chains:b', value: 'b2' }, number] },
    });
    expect(wrong.goldenId).toBe(first.goldenId);
    const owner = await put('c2', {
      given: 'Emeka',
      family: 'Byaruhanga',
      birthDate: '1951-12-21',
      gender: 'male',
      more: { identifier: [{ system: 'urn:chains:c', value: 'c2' }, number] },
    });
    expect(owner.goldenId).not.toBe(first.goldenId);
  });
});

describe('an overlay: a record that becomes somebody else at once', () => {
  it('is not linked by itself, however well it fits somebody; a steward is asked', async () => {
    const kofi = await put('e1', { ...KOFI, family: 'Boateng', phone: '0701 777 666' });
    const alone = await put('f1', {
      given: 'Nnamdi',
      family: 'Okonkwo',
      birthDate: '2001-05-06',
      gender: 'male',
      phone: '0788 000 111',
    });
    const before = alone.goldenId;
    const changed = await put('f1', { ...KOFI, family: 'Boateng', phone: '0701 777 666' });
    expect(changed).toMatchObject({ status: 'updated', goldenId: before, linked: false });
    expect(changed.goldenId).not.toBe(kofi.goldenId);
    expect(await causes(alone.id)).toContain('changed-into');
  });

  it('of a linked record keeps its place and asks', async () => {
    const first = await put('g1', { ...AMINA, family: 'Tumwebaze', phone: '0755 121 212' });
    const second = await put('h1', { ...AMINA, family: 'Tumwebaze', phone: '0755 121 212' });
    expect(second.goldenId).toBe(first.goldenId);
    const changed = await put('h1', {
      given: 'Chidi',
      family: 'Eze',
      birthDate: '1970-11-11',
      gender: 'male',
      phone: '0766 343 434',
    });
    expect(changed.goldenId).toBe(first.goldenId);
    expect(await causes(second.id)).toContain('overlay');
  });

  it('is not seen in a marriage, a corrected date or a name that was not known yet', async () => {
    const mother = await put('i1', {
      given: 'Akinyi',
      family: 'Wanjiru',
      birthDate: '1990-04-05',
      gender: 'female',
      phone: '0722 100 200',
    });
    await put('i1', {
      given: 'Akinyi',
      family: 'Otieno',
      birthDate: '1990-04-05',
      gender: 'female',
      phone: '0733 900 800',
    });
    await put('i1', {
      given: 'Akinyi',
      family: 'Otieno',
      birthDate: '1990-05-04',
      gender: 'female',
      phone: '0733 900 800',
    });
    const child = await put('j1', { given: 'Baby girl', family: 'Otieno', birthDate: '2026-01-02', gender: 'female' });
    await put('j1', { given: 'Njeri', family: 'Otieno', birthDate: '2026-01-02', gender: 'female' });
    for (const { id } of [mother, child]) {
      expect((await causes(id)).filter((cause) => cause === 'overlay' || cause === 'changed-into')).toEqual([]);
    }
  });
});
