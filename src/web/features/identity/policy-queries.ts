import { type QueryClient, queryOptions } from '@tanstack/react-query';
import { BansAnswer, NoticesAnswer, PolicyAnswer } from '../../../features/identity/wire-policy.ts';
import { api } from '../../app/api.ts';
import { sessionQuery } from '../../app/session.tsx';

export const policyQuery = queryOptions({
  queryKey: ['policy'],
  queryFn: ({ signal }) => api.get('/api/policy', PolicyAnswer, { signal }),
});
export const banList = queryOptions({
  queryKey: ['bans'],
  queryFn: ({ signal }) => api.get('/api/bans', BansAnswer, { signal }),
  // Somebody may have begun guessing a moment ago.
  refetchOnMount: 'always' as const,
});
export const noticeList = queryOptions({
  queryKey: ['notices', 'all'],
  queryFn: ({ signal }) => api.get('/api/notices', NoticesAnswer, { signal }),
  // People read them meanwhile.
  refetchOnMount: 'always' as const,
});

/** After a change: the page, and the standing warnings in the frame. */
export async function forgetPolicy(queries: QueryClient): Promise<void> {
  await queries.invalidateQueries({ queryKey: policyQuery.queryKey });
  await queries.invalidateQueries({ queryKey: sessionQuery.queryKey });
}
