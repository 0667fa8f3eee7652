import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { forgetDrafts } from './drafts.ts';
import { endSession, oweEnding } from './ending.ts';
import { rememberPlace, takePlace } from './place.ts';
import { forgetPerson, sessionQuery } from './session.tsx';

/** The sign-in page must be there when the server is not; it is fetched once the first screen is done. */
const FETCH_SIGN_IN_MS = 3_000;

/**
 * Ends the session and shows the sign-in page, which says so where the server could not be told. Locking does the same and remembers
 * the place: a locked screen that the server still trusts would be a lock of paper.
 */
export function useLeave(): (because: 'locked' | 'expired' | undefined) => Promise<void> {
  const queries = useQueryClient();
  const navigate = useNavigate();
  useEffect(() => {
    const fetchPage = (): void => void import('../features/identity/sign-in-page.tsx').catch(() => undefined);
    const timer = setTimeout(fetchPage, FETCH_SIGN_IN_MS);
    return () => clearTimeout(timer);
  }, []);
  return async (because) => {
    if (because) rememberPlace(window.location.pathname + window.location.search, because);
    else takePlace();
    const idleTimeoutSeconds = queries.getQueryData(sessionQuery.queryKey)?.idleTimeoutSeconds ?? 900;
    oweEnding(idleTimeoutSeconds);
    // First the screen, then the server: whoever walks away should not have to wait for an answer.
    queries.setQueryData(sessionQuery.queryKey, { state: 'anonymous', permissions: [], idleTimeoutSeconds });
    const ended = endSession();
    await navigate({ to: '/sign-in', replace: because !== undefined });
    forgetPerson(queries);
    if (!because) forgetDrafts();
    // Where pages were scrolled to: addresses of clients stand in it.
    sessionStorage.clear();
    await ended;
  };
}
