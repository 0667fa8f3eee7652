import { type RefObject, useEffect, useState, useSyncExternalStore } from 'react';

/** Which rows of a long list are near the screen. Rows have one height, so this is arithmetic, whatever the list's length. */
export interface RowWindow {
  readonly first: number;
  readonly last: number;
}

const OVERSCAN = 12;

export function rowWindow(count: number, rowHeightPx: number, topPx: number, viewHeightPx: number): RowWindow {
  const first = Math.max(0, Math.floor(-topPx / rowHeightPx) - OVERSCAN);
  const last = Math.min(count, Math.ceil((viewHeightPx - topPx) / rowHeightPx) + OVERSCAN);
  return { first: Math.min(first, count), last: Math.max(last, Math.min(first, count)) };
}

/** Follows the page's scrolling; renders again only when other rows come near. */
export function useRowWindow(body: RefObject<HTMLElement | null>, count: number, rowHeightPx: number): RowWindow {
  const [range, setRange] = useState<RowWindow>({ first: 0, last: Math.min(count, 40) });
  useEffect(() => {
    const look = (): void => {
      const top = body.current?.getBoundingClientRect().top ?? 0;
      const next = rowWindow(count, rowHeightPx, top, window.innerHeight);
      setRange((before) => (before.first === next.first && before.last === next.last ? before : next));
    };
    look();
    window.addEventListener('scroll', look, { passive: true });
    window.addEventListener('resize', look);
    return () => {
      window.removeEventListener('scroll', look);
      window.removeEventListener('resize', look);
    };
  }, [body, count, rowHeightPx]);
  return range;
}

function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (changed) => {
      const media = window.matchMedia(query);
      media.addEventListener('change', changed);
      return () => media.removeEventListener('change', changed);
    },
    () => window.matchMedia(query).matches,
  );
}

/** True on phone width; follows the window. */
export const useIsPhone = (): boolean => useMedia('(max-width: 47.99em)');

/** True where every column of a list has room. */
export const useIsWide = (): boolean => useMedia('(min-width: 88em)');

/** True where a list has no room for columns and shows two lines a row instead. */
export const useIsNarrow = (): boolean => useMedia('(max-width: 61.99em)');
