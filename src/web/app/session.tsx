import { type QueryClient, queryOptions } from '@tanstack/react-query';
import { createContext, useContext } from 'react';
import type { Permission } from '../../kernel/access.ts';
import { SessionAnswer } from '../../features/identity/wire.ts';
import { api } from './api.ts';
import { endSession, endsByItselfSeconds, owesEnding } from './ending.ts';

/** Who is signed in, as the server says. Everything a page shows or hides by right comes from here; the server decides again. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }): Promise<SessionAnswer> => {
    // Somebody signed out here and the server does not know yet: nothing of theirs is shown to whoever comes next.
    if (owesEnding() && !(await endSession()))
      return { state: 'anonymous', permissions: [], idleTimeoutSeconds: endsByItselfSeconds() };
    return await api.get('/api/session', SessionAnswer, { signal, signingIn: true });
  },
  staleTime: 60_000,
  retry: 2,
});

export type SignedIn = SessionAnswer & { readonly user: NonNullable<SessionAnswer['user']> };

export function isSignedIn(session: SessionAnswer | undefined): session is SignedIn {
  return session?.state === 'signed-in' && session.user !== undefined;
}

/** Given by the frame to all inside it, so that nothing there ever sees a moment without a session. */
export const SessionContext = createContext<SignedIn | undefined>(undefined);

/** The session inside the frame; pages there exist only while somebody is signed in. */
export function useSession(): SignedIn {
  const session = useContext(SessionContext);
  if (!session) throw new Error('a page of the frame was shown without a session');
  return session;
}

export function useMay(): (permission: Permission) => boolean {
  const { permissions } = useSession();
  return (permission) => permissions.includes(permission);
}

/** Forgets everything that was read for the last person; nothing of theirs may be seen by the next. */
export function forgetPerson(queries: QueryClient): void {
  queries.removeQueries({ predicate: (query) => query.queryKey[0] !== 'session' });
  queries.getMutationCache().clear();
}
