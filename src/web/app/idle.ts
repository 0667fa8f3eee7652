import { useEffect, useState } from 'react';

const MOVES = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart', 'scroll'] as const;

export interface Idle {
  /** Whole seconds since the last move of the person, looked at once a second. */
  readonly seconds: number;
  reset(): void;
}

/** How long nobody moved. The clock is read, not counted, so that a sleeping laptop wakes up expired. */
export function useIdle(onMove: () => void): Idle {
  const [state] = useState(() => ({ last: Date.now() }));
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const moved = (): void => {
      state.last = Date.now();
      onMove();
    };
    const tick = setInterval(() => setSeconds(Math.floor((Date.now() - state.last) / 1000)), 1000);
    for (const move of MOVES) window.addEventListener(move, moved, { passive: true, capture: true });
    return () => {
      clearInterval(tick);
      for (const move of MOVES) window.removeEventListener(move, moved, { capture: true });
    };
  }, [state, onMove]);
  return {
    seconds,
    reset: () => {
      state.last = Date.now();
      setSeconds(0);
    },
  };
}
