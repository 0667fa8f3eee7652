import { useSyncExternalStore } from 'react';

/** The token stands in the fragment, which a browser never sends: no server log and no proxy ever sees it. */
export function useLinkToken(): string {
  return useSyncExternalStore(
    (changed) => {
      window.addEventListener('hashchange', changed);
      return () => window.removeEventListener('hashchange', changed);
    },
    () => window.location.hash.slice(1),
  );
}
