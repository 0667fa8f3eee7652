import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { careseal } from '../support/server.ts';

/** Two programmes and somebody between them, each with files only: no server is needed. */
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'careseal-private-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);
const run = (...words: string[]) => careseal(words, { home: at('no-home') });

it('finds shared clients without either side showing one', async () => {
  await writeFile(at('a.csv'), 'no,given,family,dob,sex\n1,Amina,Okello,1984-03-12,f\n2,Peter,Banda,1999-12-25,m\n');
  await writeFile(
    at('b.csv'),
    'no,given,family,dob,sex\nX9,Zoe,Zulu,1980-04-30,f\nXenon-77,Aminah,Okello,1984-03-12,f\n',
  );
  const map = { id: 'no', given: 'given', family: 'family', gender: 'sex', birthDate: 'dob' };
  await writeFile(at('map.json'), JSON.stringify(map));
  expect(await run('encodings', 'key', 'HIV and TB', '--out', at('project.json'))).toMatchObject({ code: 0 });
  expect((await stat(at('project.json'))).mode & 0o777).toBe(0o600);
  for (const side of ['a', 'b']) {
    const files = ['--from', at(`${side}.csv`), '--out', at(`${side}.encoded`), '--ids', at(`${side}.ids`)];
    const ran = await run(
      'encodings',
      'export',
      '--project',
      at('project.json'),
      '--map',
      at('map.json'),
      ...files,
      '--json',
    );
    expect(JSON.parse(ran.stdout)).toMatchObject({ records: 2, leftOut: 0 });
    const encoded = await readFile(at(`${side}.encoded`), 'utf8');
    // Long enough not to be in random bits by chance.
    for (const secret of ['Amina', 'Okello', '1984', 'Xenon-77']) expect(encoded).not.toContain(secret);
  }
  const matched = await run('encodings', 'match', at('a.encoded'), at('b.encoded'), '--out', at('pairs.csv'), '--json');
  expect(JSON.parse(matched.stdout)).toMatchObject({ a: 2, b: 2, pairs: 1, recallAtLimit: 1 });
  expect(
    await run('encodings', 'resolve', at('pairs.csv'), '--ids', at('b.ids'), '--side', 'b', '--out', at('own.csv')),
  ).toMatchObject({ code: 0 });
  expect((await readFile(at('own.csv'), 'utf8')).split('\n')[1]).toMatch(/^Xenon-77,/);
});

it('overwrites nothing, and leaves nothing half written', async () => {
  await writeFile(at('there.json'), 'mine');
  const refused = await run('encodings', 'key', 'Other', '--out', at('there.json'));
  expect(refused).toMatchObject({ code: 1 });
  expect(await readFile(at('there.json'), 'utf8')).toBe('mine');
  await writeFile(at('cut.encoded'), (await readFile(at('a.encoded'), 'utf8')).split('\n').slice(0, 2).join('\n'));
  const cut = await run('encodings', 'match', at('cut.encoded'), at('b.encoded'), '--out', at('none.csv'), '--json');
  expect(JSON.parse(cut.stdout)).toMatchObject({ error: { code: 'encoded-file-invalid' } });
  await expect(stat(at('none.csv'))).rejects.toThrow('ENOENT');
});
