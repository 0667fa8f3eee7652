import { describe, expect, it } from 'vitest';
import { expiryOfMoment } from './node-queries.ts';

const nowMs = Date.UTC(2026, 5, 1);
const inDays = (days: number) => expiryOfMoment(new Date(nowMs + days * 86_400_000).toISOString(), nowMs);

describe('the end of a certificate, as the pages of nodes show it', () => {
  it.each([
    [31, 'valid', 31],
    [30, 'soon', 30],
    [14, 'soon', 14],
    [7, 'soon', 7],
    [0, 'soon', 0],
    [-1, 'expired', -1],
  ] as const)('%i days away: %s', (away, state, days) => {
    expect(inDays(away)).toMatchObject({ state, days });
  });
});
