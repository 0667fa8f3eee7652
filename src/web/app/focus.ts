/**
 * Where the focus is when what had it goes: dialogs give it back to the button that opened them, and a button that goes when it has done
 * its work leaves it in the dialog it stood in. Whoever works with the keyboard alone would have to begin at the top of the page otherwise.
 * Mantine does this only for dialogs that stay mounted, and ours are made when they open.
 */
export function keepFocus(): () => void {
  const openers = new Map<Element, Element | null>();
  const look = (): void => {
    const open = new Set(document.querySelectorAll('[role="dialog"]'));
    for (const dialog of open) {
      // The dialog takes the focus a moment later: now it is still where it was opened from.
      if (!openers.has(dialog)) openers.set(dialog, document.activeElement);
    }
    const closed = [...openers].filter(([dialog]) => !open.has(dialog));
    for (const [dialog] of closed) openers.delete(dialog);
    const back = closed.map(([, opener]) => opener).find((opener) => opener !== null && opener.isConnected);
    if (closed.length > 0 || open.size > 0) requestAnimationFrame(() => bring(back, closed.length > 0));
  };
  const observer = new MutationObserver(look);
  observer.observe(document.body, { childList: true, subtree: true });
  return () => observer.disconnect();
}

/** Only where nothing has the focus: a page that put it somewhere knows better. */
function bring(back: Element | null | undefined, closed: boolean): void {
  if (document.activeElement !== null && document.activeElement !== document.body) return;
  const dialog = [...document.querySelectorAll<HTMLElement>('[role="dialog"]')].at(-1);
  if (back instanceof HTMLElement && back !== document.body && (dialog === undefined || dialog.contains(back))) {
    back.focus({ preventScroll: true });
  } else if (dialog !== undefined) dialog.focus({ preventScroll: true });
  else if (closed) document.querySelector<HTMLElement>('h1[tabindex]')?.focus({ preventScroll: true });
}
