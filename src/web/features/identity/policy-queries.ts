import { keepPreviousData, type QueryClient, queryOptions } from '@tanstack/react-query';
import { BansAnswer, ExceptionsAnswer, NoticesAnswer, PolicyAnswer } from '../../../features/identity/wire-policy.ts';
import { api } from '../../app/api.ts';
import { sessionQuery } from '../../app/session.tsx';

export const policyQuery = queryOptions({
  queryKey: ['policy'],
  queryFn: ({ signal }) => api.get('/api/policy', PolicyAnswer, { signal }),
});

/** How many of a list one page of a section shows. */
export const SECTION_PAGE = 20;

export const exceptionList = (offset: number) =>
  queryOptions({
    queryKey: ['policy', 'exceptions', offset],
    queryFn: ({ signal }) =>
      api.get(`/api/policy/exceptions?limit=${SECTION_PAGE}&offset=${offset}`, ExceptionsAnswer, { signal }),
    placeholderData: keepPreviousData,
  });
export const banList = (networksAfter: number, accountsAfter: number) =>
  queryOptions({
    queryKey: ['bans', networksAfter, accountsAfter],
    queryFn: ({ signal }) => {
      const after = `offset=${networksAfter}&accountsOffset=${accountsAfter}`;
      return api.get(`/api/bans?limit=${SECTION_PAGE}&${after}`, BansAnswer, { signal });
    },
    placeholderData: keepPreviousData,
    // Somebody may have begun guessing a moment ago.
    refetchOnMount: 'always' as const,
  });
export const noticeList = (offset: number) =>
  queryOptions({
    queryKey: ['notices', 'all', offset],
    queryFn: ({ signal }) => api.get(`/api/notices?limit=${SECTION_PAGE}&offset=${offset}`, NoticesAnswer, { signal }),
    placeholderData: keepPreviousData,
    // People read them meanwhile.
    refetchOnMount: 'always' as const,
  });

/** After a change: the page, and the standing warnings in the frame. */
export async function forgetPolicy(queries: QueryClient): Promise<void> {
  await queries.invalidateQueries({ queryKey: policyQuery.queryKey });
  await queries.invalidateQueries({ queryKey: sessionQuery.queryKey });
}
