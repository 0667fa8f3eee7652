import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { api } from './api.ts';
import { rememberPlace } from './place.ts';
import { forgetPerson, sessionQuery } from './session.tsx';

/**
 * Ends the session and shows the sign-in page. Locking does the same and remembers the place: a locked screen that the
 * server still trusts would be a lock of paper.
 */
export function useLeave(): (because: 'locked' | 'expired' | undefined) => Promise<void> {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return async (because) => {
    if (because) rememberPlace(window.location.pathname + window.location.search, because);
    const before = queries.getQueryData(sessionQuery.queryKey);
    // First the screen, then the server: whoever walks away should not have to wait for an answer.
    queries.setQueryData(sessionQuery.queryKey, {
      state: 'anonymous',
      permissions: [],
      idleTimeoutSeconds: before?.idleTimeoutSeconds ?? 900,
    });
    await navigate({ to: '/sign-in', replace: because !== undefined });
    forgetPerson(queries);
    await api.act('POST', '/api/sign-out', undefined, { signingIn: true }).catch(() => undefined);
  };
}
