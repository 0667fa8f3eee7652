import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, answerOf, type Hl7Door, hl7Door } from '../../support/hl7.ts';
import type { KeyMaterial } from '../../../src/platform/tls/index.ts';

let door: Hl7Door;
let a: KeyMaterial;
let b: KeyMaterial;
const A = 'urn:oid:1.2.3.1';
const B = 'urn:hl7:b';
beforeAll(async () => {
  door = await hl7Door();
  a = (await door.newNode(A)).identity;
  b = (await door.newNode(B)).identity;
  await door.alias('hl7v2:CLINIC', A);
  await door.alias('hl7v2:HOSP', B);
});
afterAll(() => door.close());

let control = 0;
const msh = (
  type: string,
  more: { version?: string; charset?: string; processing?: string; control?: string } = {},
): string =>
  `MSH|^~\\&|EMR|CLINIC|CR|MOH|20260101120000||${type}|${more.control ?? `M${(control += 1)}`}|${more.processing ?? 'P'}|${more.version ?? '2.5.1'}||||||${more.charset ?? ''}`;
const adt = (event: string, pid: string, more: Parameters<typeof msh>[1] = {}): string =>
  `${msh(`ADT^${event}`, more)}\rEVN||20260101120000\r${pid}\r`;
const pid = (id: string, rest = ''): string =>
  `PID|||${id}||${rest || `Okello${control}^Amina^N^^^^L||19840312|F|||1 Main St^^Kampala^Central^256^UG||+256700${100_000 + control}^PRN^PH`}`;
const pixQuery = (person: string, domains = ''): string =>
  `${msh('QBP^Q23^QBP_Q21')}\rQPD|IHE PIX Query|tag-1|${person}|${domains}\rRCP|I\r`;
const pdq = (parameters: string, domains = '', limit = ''): string =>
  `${msh('QBP^Q22^QBP_Q21')}\rQPD|IHE PDQ Query|tag-2|${parameters}|||||${domains}\rRCP|I|${limit}\r`;
const errorCodes = (answer: Answer): string[] => answer.segments('ERR').map((fields) => fields[3]?.split('^')[0] ?? '');
describe('HL7 v2', () => {
  for (const event of ['A01', 'A04', 'A08']) {
    it(`ITI-8 · ADT^${event} registers: AA with the control id, MSH swapped`, async () => {
      const answer = await door.send(
        a,
        adt(event, pid(`${event}-1^^^CLINIC&1.2.3.1&ISO^MR`), { control: `CTRL-${event}` }),
      );
      expect(answer.ack).toBe('AA');
      expect(answer.segments('MSA')[0]).toEqual(['MSA', 'AA', `CTRL-${event}`]);
      const header = answer.segments('MSH')[0] ?? [];
      expect([header[2], header[3], header[4], header[5], header[8]]).toEqual([
        'CR',
        'MOH',
        'EMR',
        'CLINIC',
        `ACK^${event}^ACK`,
      ]);
      expect(header[17]).toBe('UNICODE UTF-8');
      const id = await door.f.registry.as(door.f.operator.principal).findByKey(A, `${event}-1`);
      expect(id).toBeDefined();
    });
  }
  it('ITI-8 · what PID says is in the Patient', async () => {
    await door.send(
      a,
      adt(
        'A04',
        'PID|||full^^^&1.2.3.1&ISO^MR||Nakato^Grace^Mary^Jr^Dr^^L~Birungi^^^^^^M|Nansubuga^^^|19900217|F|||12 Hill Rd^Flat 3^Entebbe^Wakiso^7061^UG^H||^PRN^PH^^^041^320000~^NET^Internet^grace@example.org|^WPN^CP^^^^^^^^^+256772000111||M|||||||||2||||20250101|Y',
      ),
    );
    const registry = door.f.registry.as(door.f.operator.principal);
    const stored = await registry.read((await registry.findByKey(A, 'full')) ?? ('' as never));
    const patient = JSON.parse(Buffer.from(stored?.content ?? []).toString());
    expect(patient).toMatchObject({
      identifier: [{ system: A, value: 'full' }],
      name: [
        { use: 'official', family: 'Nakato', given: ['Grace', 'Mary'], suffix: ['Jr'], prefix: ['Dr'] },
        { use: 'maiden', family: 'Birungi' },
      ],
      gender: 'female',
      birthDate: '1990-02-17',
      deceasedDateTime: '2025-01-01',
      address: [
        {
          use: 'home',
          line: ['12 Hill Rd', 'Flat 3'],
          city: 'Entebbe',
          state: 'Wakiso',
          postalCode: '7061',
          country: 'UG',
        },
      ],
      telecom: [
        { value: '041 320000' },
        { system: 'email', value: 'grace@example.org' },
        { use: 'mobile', value: '+256772000111' },
      ],
    });
    expect(patient.extension[0].valueString).toBe('Nansubuga');
  });
  it('ITI-8 · A08 revises the same record', async () => {
    await door.send(a, adt('A04', pid('rev^^^CLINIC', 'Revised^One||19700101|M')));
    expect((await door.send(a, adt('A08', pid('rev^^^CLINIC', 'Revised^One||19700101|F')))).ack).toBe('AA');
    const registry = door.f.registry.as(door.f.operator.principal);
    const stored = await registry.read((await registry.findByKey(A, 'rev')) ?? ('' as never));
    expect(stored?.version).toBe(2);
  });
  it('ITI-8 · an identifier without an authority is of the sender’s only domain', async () => {
    expect((await door.send(a, adt('A04', pid('bare-1')))).ack).toBe('AA');
    expect(await door.f.registry.as(door.f.operator.principal).findByKey(A, 'bare-1')).toBeDefined();
  });
  it('ITI-8 · A40 merges: the survivor answers for both', async () => {
    await door.send(
      a,
      adt('A04', pid('s1^^^CLINIC~INS-77^^^&urn:insurance&URI', 'Survivor^Sam||19650505|M')).replace(
        '~INS-77^^^&urn:insurance&URI',
        '',
      ),
    );
    await door.send(a, adt('A04', pid('o1^^^CLINIC', 'Obsolete^Olga||19330303|F')));
    const merged = await door.send(
      a,
      `${msh('ADT^A40^ADT_A39')}\rEVN|A40\rPID|||s1^^^CLINIC||Survivor^Sam\rMRG|o1^^^CLINIC\r`,
    );
    expect(merged.ack).toBe('AA');
    const crossed = await door.send(a, pixQuery('o1^^^CLINIC'));
    expect(crossed.segments('PID')[0]?.[3]).toContain('s1^^^CLINIC&1.2.3.1&ISO');
  });
  it('ITI-8 · A40 loops, unknown records, foreign records: AE with where', async () => {
    const merge = (survivor: string, obsolete: string, who = a) =>
      door.send(who, `${msh('ADT^A40^ADT_A39')}\rEVN|A40\rPID|||${survivor}||X^Y\rMRG|${obsolete}\r`);
    expect(errorCodes(await merge('o1^^^CLINIC', 's1^^^CLINIC'))).toEqual(['205']);
    const unknown = await merge('s1^^^CLINIC', 'never^^^CLINIC');
    expect([unknown.ack, errorCodes(unknown)[0], unknown.segments('ERR')[0]?.[2]]).toEqual(['AE', '204', 'MRG^1^1']);
    expect((await merge('s1^^^CLINIC', 'o1^^^CLINIC', b)).ack).toBe('AE');
    expect((await door.send(a, `${msh('ADT^A40^ADT_A39')}\rPID|||s1^^^CLINIC\r`)).ack).toBe('AE');
  });
  it('ITI-8 · a feed for a domain of another system: AE 204', async () => {
    const answer = await door.send(b, adt('A04', pid('x^^^CLINIC&1.2.3.1&ISO')));
    expect([answer.ack, errorCodes(answer)]).toEqual(['AE', ['204']]);
  });
  it('ITI-8 · an unknown authority: AE 204 at PID-3', async () => {
    const answer = await door.send(a, adt('A04', pid('x^^^NOWHERE')));
    expect([answer.ack, answer.segments('ERR')[0]?.[2]]).toEqual(['AE', 'PID^1^3^1^4']);
  });
  it('ITI-8 · a date that does not exist: AE 102', async () => {
    const answer = await door.send(a, adt('A04', 'PID|||date^^^CLINIC||Bad^Date||19991340|M'));
    expect([answer.ack, errorCodes(answer)]).toEqual(['AE', ['102']]);
  });
  const rejected: [string, () => string, string][] = [
    ['another message type: AR 200', () => `${msh('ORU^R01')}\r`, '200'],
    ['another event: AR 201', () => adt('A11', pid('x')), '201'],
    ['another query: AR 201', () => `${msh('QBP^Q11')}\rQPD|x|y\r`, '201'],
    ['processing id T: AR 202', () => adt('A04', pid('x'), { processing: 'T' }), '202'],
    ['version 3.0: AR 203', () => adt('A04', pid('x'), { version: '3.0' }), '203'],
  ];
  for (const [words, text, code] of rejected) {
    it(`ACK · ${words}`, async () => {
      const answer = await door.send(a, text());
      expect([answer.ack, errorCodes(answer)]).toEqual(['AR', [code]]);
    });
  }
  it('ACK · before version 2.5 errors are told in ERR-1 and MSA-3', async () => {
    const answer = await door.send(a, adt('A04', pid('x^^^NOWHERE'), { version: '2.3.1' }));
    expect(answer.segments('ERR')[0]?.[1]).toBe('PID^1^3^204&Unknown key identifier&HL70357');
    expect(answer.segments('MSA')[0]?.[3]).toMatch(/authority/);
  });
  it('ITI-9 · PIX query: the other identifiers, names withheld', async () => {
    const who = 'Kato^Paul^^^^^L||19710203|M|||5 Lake Rd^^Jinja^^^UG||+256782333444^PRN^PH';
    await door.send(a, adt('A04', pid('px^^^CLINIC', who)));
    await door.send(b, adt('A04', pid('py^^^HOSP', who)));
    const answer = await door.send(a, pixQuery('px^^^CLINIC&1.2.3.1&ISO^MR'));
    expect(answer.segments('MSH')[0]?.[8]).toBe('RSP^K23^RSP_K23');
    expect(answer.segments('QAK')[0]).toEqual(['QAK', 'tag-1', 'OK', 'IHE PIX Query']);
    expect(answer.segments('PID')[0]).toEqual(['PID', '', '', 'py^^^HOSP&urn:hl7:b&URI', '', '~^^^^^^S']);
    expect(answer.text).not.toContain('Kato');
    expect((await door.send(a, pixQuery('px^^^CLINIC', '^^^HOSP'))).segments('PID')).toHaveLength(1);
  });
  it('ITI-9 · nothing in the domain asked for: AA, QAK NF', async () => {
    const answer = await door.send(a, pixQuery('px^^^CLINIC', '^^^CLINIC'));
    expect([answer.ack, answer.segments('QAK')[0]?.[2], answer.segments('PID')]).toEqual(['AA', 'NF', []]);
  });
  const pixErrors: [string, string, string, string][] = [
    ['unknown identifier: AE 204 at QPD-3.1', 'nobody^^^CLINIC', '', 'QPD^1^3^1^1'],
    ['unknown authority: AE 204 at QPD-3.4', 'px^^^NOWHERE', '', 'QPD^1^3^1^4'],
    ['unknown domain asked for: AE 204 at QPD-4', 'px^^^CLINIC', '^^^NOWHERE', 'QPD^1^4^1'],
  ];
  for (const [words, person, domains, location] of pixErrors) {
    it(`ITI-9 · ${words}`, async () => {
      const answer = await door.send(a, pixQuery(person, domains));
      expect([answer.ack, answer.segments('QAK')[0]?.[2], errorCodes(answer), answer.segments('ERR')[0]?.[2]]).toEqual([
        'AE',
        'AE',
        ['204'],
        location,
      ]);
    });
  }
  it('ITI-9 · no identifier: AE 101; no QPD: AE 100', async () => {
    expect(errorCodes(await door.send(a, pixQuery('')))).toEqual(['101']);
    expect(errorCodes(await door.send(a, `${msh('QBP^Q23^QBP_Q21')}\r`))).toEqual(['100']);
  });
  it('ITI-21 · demographics query by name, birth date, sex, identifier', async () => {
    for (const asked of [
      '@PID.5.1^Kato~@PID.5.2^Paul',
      '@PID.5.1^KA*~@PID.7.1^19710203',
      '@PID.3.1^px~@PID.3.4.1^CLINIC',
      '@PID.8^M~@PID.5.1^kato~@PID.11.3^Jinja',
    ]) {
      const answer = await door.send(b, pdq(asked));
      expect(answer.segments('MSH')[0]?.[8]).toBe('RSP^K22^RSP_K21');
      expect([answer.ack, answer.segments('PID').length, answer.segments('QAK')[0]?.[4]], asked).toEqual([
        'AA',
        1,
        '1',
      ]);
      expect(answer.segments('PID')[0]).toMatchObject({ 5: 'Kato^Paul^^^^^L', 7: '19710203', 8: 'M' });
    }
  });
  it('ITI-21 · a name without * matches as a whole; none found is AA, NF', async () => {
    const answer = await door.send(b, pdq('@PID.5.1^Kat'));
    expect([answer.ack, answer.segments('QAK')[0]?.[2], answer.segments('PID')]).toEqual(['AA', 'NF', []]);
  });
  it('ITI-21 · identifiers of the domains asked for, unknown domain AE 204', async () => {
    const answer = await door.send(b, pdq('@PID.5.1^Kato', '^^^HOSP'));
    expect(answer.segments('PID')[0]?.[3]).toBe('py^^^HOSP&urn:hl7:b&URI');
    expect(errorCodes(await door.send(b, pdq('@PID.5.1^Kato', '^^^NOWHERE')))).toEqual(['204']);
  });
  it('ITI-21 · in parts: RCP-2 limits, DSC continues', async () => {
    for (let count = 0; count < 5; count += 1)
      await door.send(
        a,
        adt(
          'A04',
          pid(
            `part-${count}^^^CLINIC`,
            `Partson^${'ABCDE'[count]}lex||19${50 + count * 7}0${count + 1}11|${count % 2 ? 'M' : 'F'}`,
          ),
        ),
      );
    const seen: string[] = [];
    let pointer = '';
    for (let part = 0; part < 5 && (part === 0 || pointer !== ''); part += 1) {
      const text = pdq('@PID.5.1^Partson', '', '2^RD');
      const answer = await door.send(a, pointer === '' ? text : `${text}DSC|${pointer}|I\r`);
      seen.push(...answer.segments('PID').map((fields) => fields[3] ?? ''));
      pointer = answer.segments('DSC')[0]?.[1] ?? '';
    }
    expect(new Set(seen).size).toBe(5);
  });
  it('ITI-21 · no parameter: AE 101; one that is not understood: AE 102', async () => {
    expect(errorCodes(await door.send(a, pdq('')))).toEqual(['101']);
    expect(errorCodes(await door.send(a, pdq('@PID.99^x')))).toEqual(['102']);
  });
  const bhs = (id: string) => `BHS|^~\\&|EMR|CLINIC|CR|MOH|20260101||||${id}`;
  it('batch · BHS to BTS: each message has its answer, the one at fault too, the others are done', async () => {
    const messages = [
      adt('A04', pid('batch-1^^^CLINIC')),
      adt('A04', pid('batch-2^^^NOWHERE')),
      adt('A04', pid('batch-3^^^CLINIC')),
    ];
    const answer = await door.send(a, `${bhs('B-77')}\r${messages.join('')}BTS|3\r`);
    expect(answer.segments('BHS')[0]?.slice(2, 6)).toEqual(['CR', 'MOH', 'EMR', 'CLINIC']);
    expect(answer.segments('BHS')[0]?.[11]).toBe('B-77');
    expect(answer.segments('MSA').map(([, code]) => code)).toEqual(['AA', 'AE', 'AA']);
    expect(answer.segments('BTS')).toEqual([['BTS', '3']]);
    const registry = door.f.registry.as(door.f.operator.principal);
    const found = await Promise.all(['batch-1', 'batch-2', 'batch-3'].map((key) => registry.findByKey(A, key)));
    expect(found.map((id) => id !== undefined)).toEqual([true, false, true]);
  });
  it('batch · FHS to FTS with several batches, each with its own charset', async () => {
    const latin = Buffer.from(
      adt('A04', pid('file-2^^^CLINIC', 'M\u00fcller^Zo\u00eb||19610402|F'), { charset: '8859/1' }),
      'latin1',
    );
    const parts = [
      `FHS|^~\\&|EMR|CLINIC|CR|MOH|20260101||||F-1\r${bhs('B-1')}\r${adt('A04', pid('file-1^^^CLINIC'))}BTS|1\r${bhs('B-2')}\r`,
      latin,
      'BTS|1\rFTS|2\r',
    ];
    const answer = await door.send(a, Buffer.concat(parts.map((part) => Buffer.from(part))));
    expect(answer.segments('MSA').map(([, code]) => code)).toEqual(['AA', 'AA']);
    expect([answer.segments('BHS').length, answer.segments('FTS')]).toEqual([2, [['FTS', '2']]]);
    expect(answer.segments('FHS')[0]?.[11]).toBe('F-1');
    const registry = door.f.registry.as(door.f.operator.principal);
    const stored = await registry.read((await registry.findByKey(A, 'file-2')) ?? ('' as never));
    expect(Buffer.from(stored?.content ?? []).toString()).toContain('M\u00fcller');
  });
  it('batch · one that is cut short, miscounted or out of order is refused before its first message', async () => {
    const one = adt('A04', pid('lost-1^^^CLINIC'));
    const wrong = [
      `${bhs('x')}\r${one}`,
      `${bhs('x')}\r${one}BTS|2\r`,
      `FHS|^~\\&\r${one}`,
      `${bhs('x')}\r${bhs('y')}\r${one}BTS|1\r`,
      `BTS|0\r${bhs('x')}\r${one}BTS|1\r`,
      `FHS|^~\\&\rFTS|0\r${one}`,
    ];
    for (const file of wrong) expect((await door.send(a, file)).ack, file).toBe('AR');
    expect((await door.send(a, `${one}${one}`)).segments('ERR')[0]?.[8]).toContain('batch');
    expect(await door.f.registry.as(door.f.operator.principal).findByKey(A, 'lost-1')).toBeUndefined();
  });
  const wishing = (message: string, accept: string, application: string): string => {
    const [header = '', ...rest] = message.split('\r');
    const fields = header.split('|');
    while (fields.length < 18) fields.push('');
    fields[14] = accept;
    fields[15] = application;
    return [fields.join('|'), ...rest].join('\r');
  };
  /** Every answer to this message: a second message tells where they end. */
  async function answersTo(message: string): Promise<Answer[]> {
    const line = await door.open(a);
    const mark = adt('A04', pid('mark^^^CLINIC'), { control: 'MARK' });
    for (const text of [message, mark])
      line.write(Buffer.concat([Buffer.from([0x0b]), Buffer.from(text), Buffer.from([0x1c, 0x0d])]));
    const answers: Answer[] = [];
    for (;;) {
      const next = answerOf((await line.next()) ?? '');
      if (next.text === '' || next.segments('MSA')[0]?.[2] === 'MARK') break;
      answers.push(next);
    }
    line.end();
    return answers;
  }
  const good = () => adt('A04', pid('enh-1^^^CLINIC'));
  const bad = () => adt('A04', pid('enh-2^^^NOWHERE'));
  const unsupported = () => adt('A99', pid('enh-3^^^CLINIC'));
  const modes: [string, () => string, string, string, string[]][] = [
    ['AL, AL: CA, then AA', good, 'AL', 'AL', ['CA', 'AA']],
    ['AL, NE: CA alone', good, 'AL', 'NE', ['CA']],
    ['NE, AL: AA alone', good, 'NE', 'AL', ['AA']],
    ['NE, NE: nothing', good, 'NE', 'NE', []],
    ['ER, ER of a good message: nothing', good, 'ER', 'ER', []],
    ['SU, SU of a good message: CA, then AA', good, 'SU', 'SU', ['CA', 'AA']],
    ['AL, AL of a refused message: CA, then AE', bad, 'AL', 'AL', ['CA', 'AE']],
    ['AL, NE of a refused message: CE, since it is kept nowhere', bad, 'AL', 'NE', ['CE']],
    ['ER, ER of a refused message: AE', bad, 'ER', 'ER', ['AE']],
    ['AL, AL of an event that is not taken: CR alone', unsupported, 'AL', 'AL', ['CR']],
    ['neither: the original mode', bad, '', '', ['AE']],
  ];
  for (const [words, message, accept, application, codes] of modes) {
    it(`enhanced · MSH-15 and MSH-16 ${words}`, async () => {
      const answers = await answersTo(wishing(message(), accept, application));
      expect(answers.map(({ ack }) => ack)).toEqual(codes);
      for (const answer of answers)
        if (accept !== '') expect(answer.segments('MSH')[0]?.slice(14, 16)).toEqual(['NE', 'NE']);
      const [first] = answers;
      if (first?.ack.startsWith('C')) expect(first.segments('MSH')[0]?.[8]).toBe('ACK');
    });
  }
  it('enhanced · a query is answered whatever MSH-16 says; an acknowledgement is never acknowledged', async () => {
    const [accepted, found] = await answersTo(wishing(pixQuery('A01-1^^^CLINIC'), 'AL', 'NE'));
    expect([accepted?.ack, found?.segments('MSH')[0]?.[8]]).toEqual(['CA', 'RSP^K23^RSP_K23']);
    expect(await answersTo(`${msh('ACK^A04^ACK')}\rMSA|AA|1\r`)).toEqual([]);
  });
  it('charset · UTF-8 and 8859/1 are read as MSH-18 says', async () => {
    const registry = door.f.registry.as(door.f.operator.principal);
    const nameOf = async (key: string) => {
      const stored = await registry.read((await registry.findByKey(A, key)) ?? ('' as never));
      return JSON.parse(Buffer.from(stored?.content ?? []).toString()).name[0].family;
    };
    await door.send(a, adt('A04', pid('utf^^^CLINIC', 'Müller-Ñandú^Zoë'), { charset: 'UNICODE UTF-8' }));
    await door.send(a, Buffer.from(adt('A04', pid('lat^^^CLINIC', 'Müller^Zoë'), { charset: '8859/1' }), 'latin1'));
    expect([await nameOf('utf'), await nameOf('lat')]).toEqual(['Müller-Ñandú', 'Müller']);
  });
  it('delimiters · are those that MSH declares; escapes are read', async () => {
    const text = adt('A04', pid('deli^^^CLINIC', 'O\\T\\Brien \\F\\ Sons^Pat||19800808|M')).replaceAll(
      /[|^~\\&]/g,
      (one) => ({ '|': '*', '^': '!', '~': '%', '\\': '/', '&': '$' })[one] ?? one,
    );
    expect((await door.send(a, text)).ack).toBe('AA');
    const registry = door.f.registry.as(door.f.operator.principal);
    const stored = await registry.read((await registry.findByKey(A, 'deli')) ?? ('' as never));
    expect(JSON.parse(Buffer.from(stored?.content ?? []).toString()).name[0].family).toBe('O$Brien * Sons');
  });
});
