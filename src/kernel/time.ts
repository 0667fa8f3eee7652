/** The clock as a value: pure code and tests get their own. `platform/clock.ts` has the real one. */
export interface Clock {
  /** Unix time in milliseconds. */
  nowMs(): number;
}

// The last answer: busy servers ask for the same millisecond many times, and printing a date takes microseconds.
let lastMs = Number.NaN;
let lastText = '';

/** FHIR `instant` in UTC with milliseconds: 2026-01-31T09:30:00.000Z. */
export function instant(unixMs: number): string {
  if (unixMs !== lastMs) {
    lastText = new Date(unixMs).toISOString();
    lastMs = unixMs;
  }
  return lastText;
}
