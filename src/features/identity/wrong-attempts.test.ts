import { expect, test } from 'vitest';
import { createWrongAttempts, type Tried, WRONG_A_DAY } from './wrong-attempts.ts';

const HOUR = 3_600_000;
const clockAt = (ms: number) => {
  const clock = { ms, nowMs: () => clock.ms };
  return clock;
};
const tried = (over: Partial<Tried> = {}): Tried => ({
  ...{ subject: 7n, stage: 'factor', channel: 'unknown-devices' },
  ...over,
});

test('a hundred a day, then none; the next day again', () => {
  const clock = clockAt(1_000_000);
  const wrong = createWrongAttempts(clock);
  for (let i = 0; i < WRONG_A_DAY; i++) expect(wrong.charge(tried())).toBe(true);
  expect(wrong.charge(tried())).toBe(false);
  expect(wrong.isFull(tried())).toBe(true);
  clock.ms += 23 * HOUR;
  expect(wrong.charge(tried())).toBe(false);
  clock.ms += HOUR;
  expect(wrong.isFull(tried())).toBe(false);
  expect(wrong.charge(tried())).toBe(true);
});

test('accounts, stages and channels are counted by themselves', () => {
  const wrong = createWrongAttempts(clockAt(0));
  for (let i = 0; i < WRONG_A_DAY; i++) wrong.charge(tried());
  for (const other of [tried({ subject: 8n }), tried({ stage: 'password' }), tried({ channel: 'device' })]) {
    expect(wrong.isFull(other)).toBe(false);
  }
});

test('what was right is forgotten, what was not compared is given back', () => {
  const wrong = createWrongAttempts(clockAt(0));
  for (let i = 0; i < WRONG_A_DAY; i++) wrong.charge(tried());
  wrong.giveBack(tried());
  expect(wrong.charge(tried())).toBe(true);
  expect(wrong.charge(tried())).toBe(false);
  wrong.forget(tried());
  expect(wrong.charge(tried())).toBe(true);
});

test('a clock set back closes nothing for longer than a day', () => {
  const clock = clockAt(100 * HOUR);
  const wrong = createWrongAttempts(clock);
  for (let i = 0; i < WRONG_A_DAY; i++) wrong.charge(tried());
  clock.ms = 70 * HOUR;
  expect(wrong.isFull(tried())).toBe(false);
});

test('memory is bounded, and the one tried last stays', () => {
  const wrong = createWrongAttempts(clockAt(0), 10);
  for (let i = 0; i < WRONG_A_DAY; i++) {
    wrong.charge(tried());
    wrong.charge(tried({ subject: BigInt(100 + i) }));
  }
  expect(wrong.isFull(tried())).toBe(true);
});
