import { afterAll, beforeAll, expect, test } from 'vitest';
import { csvLine } from '../../src/features/reports/csv.ts';
import { type LoadFixture, loadFixture, memoryFile, OPERATOR } from '../support/load.ts';

/** P13: a file's author cannot have a formula run in the spreadsheet of whoever opens the file of rejected rows. */
let f: LoadFixture;
beforeAll(async () => {
  f = await loadFixture();
});
afterAll(() => f.close());

const FORMULAS = [
  '=cmd|calc!A0',
  'Okello;=1+1',
  'Okello;	@SUM(A1)',
  '+1+1',
  '-2+3',
  '@SUM(A1)',
  '=HYPERLINK("https://evil.example","x")',
];

const load = (text: string) =>
  f.load.loadFile(OPERATOR, {
    file: memoryFile(text, { pieceBytes: 4_096, fileName: 'clients.csv' }),
    domain: 'urn:formulas',
    map: { id: 'id', given: 'given', family: 'family', phone: 'phone' },
    dryRun: false,
    signal: new AbortController().signal,
  });

async function rejected(loadId: string | undefined): Promise<string> {
  let text = '';
  for await (const piece of f.load.rejectedRows(f.operator, loadId ?? '')) text += piece;
  return text;
}

test('no cell of the file of rejected rows begins like a formula', async () => {
  const rows = FORMULAS.map((text) => `,${`"${text.replaceAll('"', '""')}"`},x,+256772300633`);
  const done = await load(`id,given,family,phone\n${rows.join('\n')}\n`);
  expect(done.rejected).toBe(FORMULAS.length);
  const file = await rejected(done.loadId);
  expect(file).not.toMatch(/(^|[,";\t\n])[=+\-@]/);
  expect(file).toContain("'=cmd|calc!A0");
});

test('put right and loaded again, its values are what they were', async () => {
  const first = await load('id,given,family,phone\n,=Amina,Okello,+256772300633\n');
  const file = (await rejected(first.loadId)).replace(/\n,/, '\nr-1,');
  expect(await load(file)).toMatchObject({ created: 1, rejected: 0 });
  const id = await f.registry.findByKey('urn:formulas', 'r-1');
  const stored = id && (await f.registry.read(id));
  const patient: unknown = stored?.content && JSON.parse(new TextDecoder().decode(stored.content));
  expect(patient).toMatchObject({ name: [{ given: ['=Amina'] }], telecom: [{ value: '+256772300633' }] });
});

test.each([';', '\t', ','])(
  'no cell of a report is a formula in a spreadsheet that parts cells at “%s”',
  (separator) => {
    const texts = [
      ...FORMULAS,
      'Okello;=HYPERLINK("https://evil.example";"x")',
      'x; +1',
      'x\t=1',
      'a\n=1',
      '＝1+1',
      'plain, text',
    ];
    const [line = '', ...others] = csvLine(['first', ...texts, 'last']).split('\r\n');
    expect(others).toEqual(['']);
    for (const part of line.split(separator)) expect(part.replace(/^[\s"]+/, '')).not.toMatch(/^[=+\-@＝＋－＠]/);
    expect(csvLine(['a;b', 'c-d'])).toBe('a;b,c-d\r\n');
  },
);
