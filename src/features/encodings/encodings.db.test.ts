import { afterAll, beforeAll, expect, test } from 'vitest';
import { person, type RegistryFixture, registryFixture } from '../../../test/support/registry.ts';
import { walkClients } from '../registry/index.ts';
import { createEncodings, newProject } from './index.ts';

let f: RegistryFixture;
beforeAll(async () => {
  f = await registryFixture();
});
afterAll(async () => {
  await f.close();
});

test('every client of the registry is encoded once, after the log has it', async () => {
  const domain = await f.domain('urn:clinic:a');
  const people = ['Amina', 'Peter', 'Zoe'].map((given, at) =>
    person({
      key: [domain.system, `k${at}`],
      given,
      family: `Okello${'abc'[at]}`,
      birthDate: `198${at}-0${at + 1}-12`,
      gender: 'female',
    }),
  );
  await f.registry.submit(
    f.operator,
    people.map((patient, at) => ({ kind: 'upsert', domain, key: `k${at}`, patient })),
  );
  const logged: string[][] = [];
  const encodings = createEncodings({
    audit: {
      async recordNow(inputs) {
        logged.push(inputs.flatMap(({ event, patients }) => [event, ...(patients ?? [])]));
        return await f.audit.recordNow(inputs);
      },
    },
    walkClients: (page) => walkClients({ database: f.db.database, resources: f.resources }, page),
  });
  const made = await encodings.exportRegistry(f.operator, newProject('Test', 'balanced'), {
    signal: new AbortController().signal,
  });
  expect(made.records).toHaveLength(3);
  expect(made.ids.map(([, record]) => record).sort()).toEqual(logged[0]?.slice(1).sort());
  expect(logged[0]?.[0]).toBe('client.encode');

  const broken = createEncodings({
    audit: { recordNow: () => Promise.reject(new Error('the log cannot be written')) },
    walkClients: (page) => walkClients({ database: f.db.database, resources: f.resources }, page),
  });
  const signal = new AbortController().signal;
  await expect(broken.exportRegistry(f.operator, newProject('Test', 'balanced'), { signal })).rejects.toThrow(
    'the log',
  );
});
