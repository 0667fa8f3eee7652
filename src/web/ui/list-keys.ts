import { type RefObject, useEffect, useRef } from 'react';
import { useKeys } from '../app/keys.ts';
import type { RowWindow } from './row-window.ts';

export interface ListKeys {
  readonly body: RefObject<HTMLElement | null>;
  readonly count: number;
  readonly rowPx: number;
  readonly range: RowWindow;
}

/** Index of the row that has the focus, or -1. */
function focusedRow(body: HTMLElement | null): number {
  const row = document.activeElement?.closest<HTMLElement>('[data-index]');
  return row && body?.contains(row) ? Number(row.dataset['index']) : -1;
}

function targetOf(key: string, index: number, count: number): number | undefined {
  const targets: Readonly<Record<string, number>> = {
    ArrowDown: index + 1,
    ArrowUp: index - 1,
    Home: 0,
    End: count - 1,
    PageDown: index + 10,
    PageUp: index - 10,
  };
  return targets[key];
}

/** Arrows, Home, End and Page keys inside the list; J and K from anywhere. A row out of sight is scrolled to, then focused. */
export function useListKeys({ body, count, rowPx, range }: ListKeys): void {
  const wanted = useRef<number>(undefined);
  const focusWanted = (): void => {
    if (wanted.current === undefined) return;
    const row = body.current?.querySelector<HTMLElement>(`[data-index="${wanted.current}"]`);
    if (!row) return;
    wanted.current = undefined;
    row.querySelector<HTMLElement>('.row-link')?.focus({ preventScroll: true });
    row.scrollIntoView({ block: 'nearest' });
  };
  const go = (index: number): void => {
    const next = Math.max(0, Math.min(count - 1, index));
    const bounds = body.current?.getBoundingClientRect();
    if (bounds && (next < range.first || next >= range.last)) {
      window.scrollTo({ top: window.scrollY + bounds.top + next * rowPx - window.innerHeight / 2 });
    }
    wanted.current = next;
    focusWanted();
  };
  // After every render: the row may have come into the document only now.
  useEffect(focusWanted);
  useKeys({
    j: () => go(focusedRow(body.current) + 1),
    k: () => go(focusedRow(body.current) - 1),
  });
  useEffect(() => {
    const element = body.current;
    const onKeyDown = (event: KeyboardEvent): void => {
      const index = focusedRow(element);
      const next = index < 0 ? undefined : targetOf(event.key, index, count);
      if (next === undefined) return;
      event.preventDefault();
      go(next);
    };
    element?.addEventListener('keydown', onKeyDown);
    return () => element?.removeEventListener('keydown', onKeyDown);
  });
}
