import { TOTP } from 'otpauth';

const STEP_MS = 30_000;

/** An authenticator app: knows the typed key, never shows a code twice (the server takes each once only). */
export class Authenticator {
  readonly #totp: TOTP;
  #lastStep = 0;

  constructor(typedKey: string) {
    this.#totp = new TOTP({ secret: typedKey.replaceAll(/\s/g, ''), algorithm: 'SHA1', digits: 6, period: 30 });
  }

  /** The next code not used yet. The server takes a step early, so this waits at most one step. */
  async code(): Promise<string> {
    for (;;) {
      const now = Math.floor(Date.now() / STEP_MS);
      const step = Math.max(now, this.#lastStep + 1);
      if (step <= now + 1) {
        this.#lastStep = step;
        return this.#totp.generate({ timestamp: step * STEP_MS });
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
