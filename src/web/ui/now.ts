import { useSyncExternalStore } from 'react';

const STEP_MS = 15_000;

function everyStep(changed: () => void): () => void {
  const timer = setInterval(changed, STEP_MS);
  return () => clearInterval(timer);
}

/** The present, to a quarter of a minute: what says "3 minutes ago" stays true while it is looked at. */
export function useNow(): number {
  return useSyncExternalStore(everyStep, () => Math.floor(Date.now() / STEP_MS) * STEP_MS);
}
