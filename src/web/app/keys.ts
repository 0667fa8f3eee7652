import { useEffect, useRef } from 'react';

/** Keys by name: `'mod+k'`, `'/'`, `'j'`, `'?'`. Letters are compared without regard to case. */
export type KeyBindings = Readonly<Record<string, (event: KeyboardEvent) => void>>;

function nameOf(event: KeyboardEvent): string {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return event.ctrlKey || event.metaKey ? `mod+${key}` : event.altKey ? `alt+${key}` : key;
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches('input, textarea, select, [role="combobox"], [role="textbox"]');
}

function isDialogOpen(): boolean {
  return document.querySelector('[role="dialog"][aria-modal="true"], [role="menu"], [role="listbox"]') !== null;
}

/**
 * Shortcuts of a page. Single letters do nothing while somebody types or a dialog is open (WCAG 2.1.4); combinations with
 * Ctrl or Command work everywhere.
 */
export function useKeys(bindings: KeyBindings, enabled = true): void {
  const current = useRef(bindings);
  useEffect(() => {
    current.current = bindings;
  });
  useEffect(() => {
    if (!enabled) return undefined;
    const listen = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.isComposing) return;
      const name = nameOf(event);
      const act = current.current[name];
      if (act === undefined) return;
      if (!name.startsWith('mod+') && (isTyping(event.target) || isDialogOpen())) return;
      event.preventDefault();
      act(event);
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, [enabled]);
}
