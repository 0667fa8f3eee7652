/** People and networks that are held up after wrong attempts: by the product's own throttle, on a running server's database. */
import { createSealing } from '../../src/features/identity/sealing.ts';
import { createThrottle } from '../../src/features/identity/throttle.ts';
import { isProblem } from '../../src/kernel/problem.ts';
import { withServices } from '../../src/main/command.ts';
import { loadConfig } from '../../src/platform/config/index.ts';

const MINUTE_MS = 60_000;
/** When the guessing began. It takes that long until one has to wait for long; the throttle alone is told of another time. */
const BEGAN_MS = 55 * MINUTE_MS;
const LONG_MS = 5 * MINUTE_MS;

/** Wrong attempts from one network, each at another address of nobody, until it is banned. */
export const banNetwork = async (home: string, address: string): Promise<void> =>
  await guess(home, (nth) => ({ email: `nobody-${nth}@example.org`, address }));

/** Wrong attempts of strangers at one account, each from another network, until strangers have to wait there. */
export const holdUpAccount = async (home: string, email: string): Promise<void> =>
  await guess(home, (nth) => ({ email, address: `203.0.113.${nth + 1}` }));

async function guess(home: string, nth: (guesses: number) => { email: string; address: string }): Promise<void> {
  const options = { command: 'test', signal: new AbortController().signal };
  await withServices(configOf(home), options, async ({ database, vault: { keyRing } }) => {
    const until = Date.now() + LONG_MS;
    let nowMs = Date.now() - BEGAN_MS;
    const clock = { nowMs: () => nowMs };
    const sealing = createSealing(keyRing);
    const throttle = createThrottle({
      database,
      sealing,
      clock,
      settings: { attemptsFree: 10 },
      onBan: async () => {},
    });
    let guesses = 0;
    while (nowMs < until) {
      try {
        await throttle.charge({ stage: 'password', knownDevice: undefined, ...nth(guesses) });
        guesses++;
      } catch (error) {
        if (!isProblem(error) || error.options.retryAfterSeconds === undefined) throw error;
        const nextMs = nowMs + error.options.retryAfterSeconds * 1_000;
        if (nextMs > until) return;
        nowMs = nextMs;
      }
    }
  });
}

/** The settings of the home that a test server runs on. */
export function configOf(home: string): ReturnType<typeof loadConfig> {
  const before = process.env['CARESEAL_HOME'];
  process.env['CARESEAL_HOME'] = home;
  try {
    return loadConfig();
  } finally {
    if (before === undefined) delete process.env['CARESEAL_HOME'];
    else process.env['CARESEAL_HOME'] = before;
  }
}
