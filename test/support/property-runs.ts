import fc from 'fast-check';
import type * as FastCheck from 'fast-check';
import { vi } from 'vitest';

/**
 * Runs in front of every test file. Properties are tried with the same values each time, so that a run that failed can be
 * repeated. `CARESEAL_PROPERTY_TIMES=20` tries twenty times as many values instead, new ones each time: for looking for
 * defects, not for CI. A property that fails prints the seed it failed with.
 */
const times = Number(process.env['CARESEAL_PROPERTY_TIMES'] ?? '0');
/** What fast-check tries where nothing is said. */
const RUNS_USUALLY = 100;

if (times > 0) {
  vi.doMock('fast-check', async (original) => {
    const real = await original<typeof FastCheck>();
    const assert = (property: fc.IRawProperty<unknown, boolean>, settings: fc.Parameters<unknown> = {}) =>
      real.assert(property, { ...settings, numRuns: (settings.numRuns ?? RUNS_USUALLY) * times });
    return { ...real, assert, default: { ...real.default, assert } };
  });
} else {
  fc.configureGlobal({ seed: 1 });
}
