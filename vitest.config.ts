import { defineConfig } from 'vitest/config';

const databaseSetup = './test/support/postgres-setup.ts';
const webTests = 'src/web/**/*.test.{ts,tsx}';
/** Notes which routes answered, when asked to. */
const setupFiles = ['./test/support/answered-routes.ts'];

/** Four kinds of tests (house rules); `vitest run --project unit` runs one kind. */
export default defineConfig({
  test: {
    // Two workers: more only wait for each other, since PostgreSQL, Chromium and the servers under test want cores as well.
    maxWorkers: 2,
    reporters: [['default', { summary: false }], './test/support/plain-summary.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/rules/**/*.test.ts', webTests],
          exclude: ['**/*.db.test.ts'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'db',
          include: ['src/**/*.db.test.ts', 'test/db/**/*.test.ts'],
          globalSetup: [databaseSetup],
          setupFiles,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'attacks',
          include: ['test/attacks/**/*.test.ts'],
          globalSetup: [databaseSetup],
          setupFiles,
          testTimeout: 120_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'journeys',
          include: ['test/journeys/**/*.test.ts'],
          globalSetup: [databaseSetup],
          setupFiles,
          // Each starts whole servers (and browsers); side by side they would time each other out.
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
