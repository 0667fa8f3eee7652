import { useEffect, useRef, useState } from 'react';

const MOVES = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart', 'scroll'] as const;

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
    const moved = (): void => {
      lastMs.current = Date.now();
      current.current.onMove();
    };
    const tick = setInterval(() => {
      const nowMs = Date.now();
      const seconds = Math.floor((nowMs - lastMs.current) / 1000);
      setLook({ seconds, nowMs });
      current.current.onTick(seconds);
    }, 1000);
    for (const move of MOVES) window.addEventListener(move, moved, { passive: true, capture: true });
    return () => {
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
