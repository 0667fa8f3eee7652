import { useCallback, useEffect, useState } from 'react';

/**
 * What somebody typed and did not send yet, kept in memory (never in the browser's storage: it may name a client) while they
 * sign in again. Bound to the person: somebody else signing in on the same machine finds nothing.
 */
interface DraftBook {
  owner: string | undefined;
  readonly texts: Map<string, string>;
  /** How often something was kept or dropped: whether a key press was, is seen by it. */
  changes: number;
}

const book: DraftBook = { owner: undefined, texts: new Map(), changes: 0 };

/** Called when a session starts; drafts of another person are thrown away. */
export function openDraftsOf(userId: string): void {
  if (book.owner !== userId) book.texts.clear();
  book.owner = userId;
}

/** Whoever signs out leaves nothing behind. */
export function forgetDrafts(): void {
  book.texts.clear();
}

/** What is kept of this form; undefined: nothing. */
export function keptText(key: string): string | undefined {
  return book.texts.get(key);
}

/** Keeps the text in place of the one before; undefined drops it. */
export function keepText(key: string, text: string | undefined): void {
  book.changes += 1;
  if (text === undefined) book.texts.delete(key);
  else book.texts.set(key, text);
}

/** Fields whose last key press nothing kept. */
const unkept = new Set<HTMLInputElement | HTMLTextAreaElement>();

/** Looks which fields keep what is typed, so that nobody is promised more. A listener before the page's own and one after. */
export function useTypingWatch(): void {
  useEffect(() => {
    let before = 0;
    const begin = (): void => {
      before = book.changes;
    };
    const end = ({ target }: Event): void => {
      if (!isTypedInto(target)) return;
      if (book.changes === before) unkept.add(target);
      else unkept.delete(target);
    };
    window.addEventListener('input', begin, true);
    window.addEventListener('input', end);
    return () => {
      window.removeEventListener('input', begin, true);
      window.removeEventListener('input', end);
      unkept.clear();
    };
  }, []);
}

/** Boxes to tick are clicked, and what is typed into a list of choices only looks for one. */
function isTypedInto(target: EventTarget | null): target is HTMLInputElement | HTMLTextAreaElement {
  if (target instanceof HTMLTextAreaElement) return true;
  if (!(target instanceof HTMLInputElement) || ['checkbox', 'radio', 'file'].includes(target.type)) return false;
  return target.getAttribute('aria-haspopup') !== 'listbox';
}

/** Whether something stands on the page that would be lost with the session. */
export function losesText(): boolean {
  for (const field of unkept) if (!field.isConnected) unkept.delete(field);
  return [...unkept].some(({ value }) => value !== '');
}

/** Like `useState('')`, but survives leaving the page and signing in again. */
export function useDraft(key: string): readonly [string, (text: string) => void, () => void] {
  const [text, setText] = useState(() => book.texts.get(key) ?? '');
  const change = useCallback(
    (next: string) => {
      keepText(key, next === '' ? undefined : next);
      setText(next);
    },
    [key],
  );
  const clear = useCallback(() => change(''), [change]);
  return [text, change, clear];
}
