import { useCallback, useState } from 'react';

/**
 * What somebody typed and did not send yet, kept in memory (never in the browser's storage: it may name a client) while they
 * sign in again. Bound to the person: somebody else signing in on the same machine finds nothing.
 */
interface DraftBook {
  owner: string | undefined;
  readonly texts: Map<string, string>;
}

const book: DraftBook = { owner: undefined, texts: new Map() };

/** Called when a session starts; drafts of another person are thrown away. */
export function openDraftsOf(userId: string): void {
  if (book.owner !== userId) book.texts.clear();
  book.owner = userId;
}

/** Whoever signs out leaves nothing behind. */
export function forgetDrafts(): void {
  book.texts.clear();
}

/** Like `useState('')`, but survives leaving the page and signing in again. */
export function useDraft(key: string): readonly [string, (text: string) => void, () => void] {
  const [text, setText] = useState(() => book.texts.get(key) ?? '');
  const change = useCallback(
    (next: string) => {
      if (next === '') book.texts.delete(key);
      else book.texts.set(key, next);
      setText(next);
    },
    [key],
  );
  const clear = useCallback(() => change(''), [change]);
  return [text, change, clear];
}
