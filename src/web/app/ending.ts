import { useSyncExternalStore } from 'react';
import { api } from './api.ts';
import { Failure } from './failure.ts';

/**
 * Ending the session on the server, until it has ended. A session that could not be ended is remembered in this browser (a number of
 * seconds, nothing of a person), so that a page opened later ends it before it shows anything.
 */
export type Ending = 'none' | 'trying' | 'unended' | 'ended-late';

const KEY = 'careseal-ending';
const TRY_MS = 10_000;
const PAUSE_MS = 400;

let state: Ending = 'none';
let running: Promise<boolean> | undefined;
const listeners = new Set<() => void>();

function become(next: Ending): void {
  state = next;
  for (const listener of listeners) listener();
}

export function useEnding(): Ending {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}

/** Somebody wants their session ended, and the server has not said yet that it is. */
export function owesEnding(): boolean {
  return localStorage.getItem(KEY) !== null;
}

/** After how many seconds without use the session that is still open ends by itself. */
export function endsByItselfSeconds(): number {
  return Number(localStorage.getItem(KEY)) || 900;
}

/** From here on this browser ends the session before it shows anything of it. */
export function oweEnding(idleTimeoutSeconds: number): void {
  localStorage.setItem(KEY, String(idleTimeoutSeconds));
  become('trying');
}

/** Asks the server, twice if need be. True once there is no session any more; false where nobody can say so. Never throws. */
export function endSession(): Promise<boolean> {
  running ??= tryTwice().finally(() => (running = undefined));
  return running;
}

async function tryTwice(): Promise<boolean> {
  if (!owesEnding()) return true;
  const ended = (await ask()) || (await pause(), await ask());
  if (ended) localStorage.removeItem(KEY);
  if (!ended) become('unended');
  else become(state === 'unended' ? 'ended-late' : 'none');
  return ended;
}

async function ask(): Promise<boolean> {
  try {
    await api.act('POST', '/api/sign-out', undefined, { signingIn: true, signal: AbortSignal.timeout(TRY_MS) });
    return true;
  } catch (error) {
    // 401: it had ended already.
    return error instanceof Failure && error.status === 401;
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
