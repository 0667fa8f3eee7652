import { useEffect, useRef, useState } from 'react';

const MOVES = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart', 'scroll'] as const;

/** Other windows hear of moves this often. */
const TELL_EVERY_MS = 1_000;

export interface Idle {
  /** Whole seconds since the last move of the person, looked at once a second. */
  readonly seconds: number;
  /** The clock at that look, Unix ms. */
  readonly nowMs: number;
  reset(): void;
}

export interface IdleListeners {
  onMove(): void;
  onTick(seconds: number): void;
  /** Moves do not count now: something asks for an answer, and the way to its buttons is none. */
  isHeld(): boolean;
}

/** How long nobody moved. The clock is read, not counted, so that a sleeping laptop wakes up expired. */
export function useIdle(listeners: IdleListeners): Idle {
  const lastMs = useRef(0);
  const current = useRef(listeners);
  const [look, setLook] = useState(() => ({ seconds: 0, nowMs: Date.now() }));
  useEffect(() => {
    current.current = listeners;
  });
  useEffect(() => {
    lastMs.current = Date.now();
    const others = new BroadcastChannel('careseal-moves');
    let toldMs = 0;
    const moved = (): void => {
      if (current.current.isHeld()) return;
      lastMs.current = Date.now();
      if (lastMs.current - toldMs >= TELL_EVERY_MS) {
        toldMs = lastMs.current;
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel reaches its own origin alone
        others.postMessage(undefined);
      }
      current.current.onMove();
    };
    // Whoever works in another window of this browser is not away: this one would end the session of both.
    others.addEventListener('message', () => {
      lastMs.current = Date.now();
    });
    const tick = setInterval(() => {
      const nowMs = Date.now();
      const seconds = Math.floor((nowMs - lastMs.current) / 1000);
      setLook({ seconds, nowMs });
      current.current.onTick(seconds);
    }, 1000);
    for (const move of MOVES) window.addEventListener(move, moved, { passive: true, capture: true });
    return () => {
      others.close();
      clearInterval(tick);
      for (const move of MOVES) window.removeEventListener(move, moved, { capture: true });
    };
  }, []);
  return {
    ...look,
    reset: () => {
      lastMs.current = Date.now();
      setLook({ seconds: 0, nowMs: Date.now() });
    },
  };
}
