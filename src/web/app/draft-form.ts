import { useState } from 'react';
import type { z } from 'zod';
import { keepText, keptText } from './drafts.ts';

/**
 * The fields of a form, kept over the end of a session like one text by `useDraft`: only those that `shape` names, so a secret
 * that is not in it is never kept. Nothing is kept that equals `first`. Whoever closes the form drops it: the third of the answer,
 * which calls `onClose` then.
 */
export function useDraftForm<T extends object>(
  key: string,
  shape: z.ZodType<T>,
  first: T,
  onClose?: () => void,
): readonly [T, (change: Partial<T>) => void, () => void] {
  const [given, setGiven] = useState(() => kept(key, shape) ?? first);
  const change = (some: Partial<T>): void => {
    const next = shape.parse({ ...given, ...some });
    const text = JSON.stringify(next);
    keepText(key, text === JSON.stringify(shape.parse(first)) ? undefined : text);
    setGiven(next);
  };
  const drop = (): void => {
    keepText(key, undefined);
    setGiven(first);
    onClose?.();
  };
  return [given, change, drop];
}

function kept<T>(key: string, shape: z.ZodType<T>): T | undefined {
  const text = keptText(key);
  return text === undefined ? undefined : shape.safeParse(JSON.parse(text)).data;
}
