/**
 * A browser keeps the last page as it was, to show it at once when somebody goes back. Ours is covered when it is put away and read
 * again when it comes back: who is signed in may have changed meanwhile. Returns what undoes it.
 */
export function coverLeftPages(): () => void {
  const root = document.documentElement;
  const put = (event: PageTransitionEvent): void => {
    if (event.persisted) root.hidden = true;
  };
  const back = (event: PageTransitionEvent): void => {
    if (event.persisted) window.location.reload();
  };
  window.addEventListener('pagehide', put);
  window.addEventListener('pageshow', back);
  return () => {
    window.removeEventListener('pagehide', put);
    window.removeEventListener('pageshow', back);
  };
}
