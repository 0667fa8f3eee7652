import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ExplanationView } from '../../features/registry/wire.ts';
import { BOX, graphSize, placesOf, tiesToDraw } from './graph-layout.ts';
import { rowWindow } from './row-window.ts';
import { stepsOf, weightText } from './waterfall-steps.ts';

const explanation: ExplanationView = {
  modelVersion: '1',
  score: 0.9,
  weight: -10 + 8 - 2 + 6,
  priorWeight: -10,
  grade: 'probable',
  decision: 'review',
  contradictions: [],
  fields: [
    { field: 'given', level: 'different', weight: -2 },
    { field: 'family', level: 'exact', weight: 8 },
    { field: 'birthDate', level: 'exact', weight: 6 },
    { field: 'phone', level: 'missing', weight: 0 },
  ],
};

describe('the waterfall', () => {
  it('begins with the prior, orders by what was said, and ends at the sum', () => {
    const { steps, silent, total } = stepsOf(explanation);
    expect(steps.map((step) => step.key)).toEqual(['prior', 'family', 'birthDate', 'given']);
    expect(steps.at(-1)?.to).toBe(total);
    expect(silent).toEqual(['Telephone']);
    for (const [index, step] of steps.entries()) if (index > 0) expect(step.from).toBe(steps[index - 1]?.to);
  });

  it('writes weights with a sign and never minus zero', () => {
    expect([1.25, -0.04, -3.15].map(weightText)).toEqual(['+1.3', '0', '−3.1']);
  });
});

describe('the identity graph', () => {
  it.each([1, 2, 3, 4, 5, 8, 12])('%i records stand inside the drawing and not upon each other', (count) => {
    for (const tall of [false, true]) {
      const size = graphSize(count, tall);
      const places = placesOf(count, tall);
      expect(places).toHaveLength(count);
      for (const [index, place] of places.entries()) {
        expect(place.x - BOX.width / 2).toBeGreaterThanOrEqual(0);
        expect(place.x + BOX.width / 2).toBeLessThanOrEqual(size.width);
        expect(place.y - BOX.height / 2).toBeGreaterThanOrEqual(0);
        expect(place.y + BOX.height / 2).toBeLessThanOrEqual(size.height);
        for (const other of places.slice(index + 1)) {
          const apart = Math.abs(other.x - place.x) >= BOX.width || Math.abs(other.y - place.y) >= BOX.height;
          expect(apart, `${count} records, tall ${tall}`).toBe(true);
        }
      }
    }
  });
});

describe('the ties of many records', () => {
  const ids = Array.from({ length: 9 }, (_, index) => `r${index}`);
  const ties = ids.flatMap((a, i) => ids.slice(i + 1).map((b, j) => ({ a, b, score: 1 / (1 + i + j) })));

  it('are all drawn for a few, and as few as hold them together for many', () => {
    expect(tiesToDraw(ties, 5)).toBe(ties);
    const drawn = tiesToDraw(ties, ids.length);
    expect(drawn).toHaveLength(ids.length - 1);
    const reached = new Set(['r0']);
    for (let round = 0; round < ids.length; round++) {
      for (const { a, b } of drawn) if (reached.has(a) || reached.has(b)) reached.add(a).add(b);
    }
    expect(reached.size).toBe(ids.length);
  });
});

describe('the window of rows', () => {
  it('holds every visible row and few others, wherever one scrolled', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000 }), fc.integer({ min: -4_000_000, max: 900 }), (count, top) => {
        const { first, last } = rowWindow(count, 40, top, 900);
        expect(first).toBeGreaterThanOrEqual(0);
        expect(last).toBeLessThanOrEqual(count);
        expect(last - first).toBeLessThanOrEqual(900 / 40 + 26);
        const visibleFirst = Math.floor(-top / 40);
        const visibleLast = Math.ceil((900 - top) / 40);
        for (const row of [visibleFirst, visibleLast - 1]) {
          if (row >= 0 && row < count) expect(row >= first && row < last).toBe(true);
        }
      }),
    );
  });
});
