/** The clock as a value: pure code and tests get their own. `platform/clock.ts` has the real one. */
export interface Clock {
  /** Unix time in milliseconds. */
  nowMs(): number;
}

/** FHIR `instant` in UTC with milliseconds: 2026-01-31T09:30:00.000Z. */
export function instant(unixMs: number): string {
  return new Date(unixMs).toISOString();
}
