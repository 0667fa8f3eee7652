import { it } from 'vitest';

/** One row of docs/conformance.md: `profile · transaction · what is asked`. The table is made of these names. */
export function requirement(transaction: string, words: string, test: () => Promise<void> | void): void {
  it(`${transaction} · ${words}`, test);
}
