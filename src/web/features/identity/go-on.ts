import { useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { takePlace } from '../../app/place.ts';
import { sessionQuery } from '../../app/session.tsx';

/** After signing in: who is here now, and back to where one was. */
export function useGoOn(): () => Promise<void> {
  const queries = useQueryClient();
  const router = useRouter();
  return async () => {
    await queries.fetchQuery({ ...sessionQuery, staleTime: 0 });
    await router.navigate({ href: takePlace(), replace: true });
  };
}
