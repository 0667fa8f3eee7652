import { defineConfig } from 'vitest/config';

const databaseSetup = './test/support/postgres-setup.ts';
const webTests = 'src/web/**/*.test.{ts,tsx}';
/** The values of properties are the same each time; and notes which routes answered, when asked to. */
const propertyRuns = './test/support/property-runs.ts';
const setupFiles = [propertyRuns, './test/support/answered-routes.ts'];
/** Many more values are tried when asked for, which takes longer. */
const patience = Math.max(1, Number(process.env['CARESEAL_PROPERTY_TIMES'] ?? '1'));
/** What meets other programs over sockets is tried once more; `plain-summary.ts` names each test that needed it. */
const retry = 1;
/** A machine with other work waits longer for the same; nothing that passes takes longer for it. */
const patient = { testTimeout: 60_000 * patience, expect: { poll: { timeout: 30_000 } } };
const morePatient = { ...patient, retry, testTimeout: 180_000 * patience, hookTimeout: 180_000 };

/** Four kinds of tests (house rules); `vitest run --project unit` runs one kind. */
export default defineConfig({
  test: {
    // Two workers: more only wait for each other, since PostgreSQL, Chromium and the servers under test want cores as well.
    maxWorkers: 2,
    reporters: [['default', { summary: false }], './test/support/plain-summary.ts'],
    ...patient,
    hookTimeout: 120_000,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/rules/**/*.test.ts', webTests],
          exclude: ['**/*.db.test.ts'],
          setupFiles: [propertyRuns],
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'db',
          include: ['src/**/*.db.test.ts', 'test/db/**/*.test.ts'],
          globalSetup: [databaseSetup],
          setupFiles,
          ...patient,
          retry,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'attacks',
          include: ['test/attacks/**/*.test.ts'],
          globalSetup: [databaseSetup],
          setupFiles,
          ...morePatient,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'journeys',
          include: ['test/journeys/**/*.test.ts'],
          globalSetup: [databaseSetup],
          setupFiles,
          ...morePatient,
          // Each starts whole servers (and browsers); side by side they would time each other out.
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
