import { infiniteQueryOptions, type QueryClient, queryOptions } from '@tanstack/react-query';
import { SessionsAnswer, type UserEntry, UsersAnswer } from '../../../features/identity/wire.ts';
import { FactorsAnswer } from '../../../features/identity/wire-factors.ts';
import { api } from '../../app/api.ts';

/** People by state and words; the words go in the body, since an address is kept by browsers and proxies. */
export const userPages = (asked: { text: string; state: UserEntry['state'] | undefined }) =>
  infiniteQueryOptions({
    queryKey: ['users', asked],
    queryFn: ({ signal, pageParam }) => {
      const { state, text } = asked;
      const body = { text, ...(state ? { state } : {}), ...(pageParam === '' ? {} : { after: pageParam }) };
      return api.send('POST', '/api/users/search', UsersAnswer, body, { signal });
    },
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
  });

export const sessionList = queryOptions({
  queryKey: ['sessions'],
  queryFn: ({ signal }) => api.get('/api/sessions', SessionsAnswer, { signal }),
});

export const factorList = queryOptions({
  queryKey: ['factors'],
  queryFn: ({ signal }) => api.get('/api/factors', FactorsAnswer, { signal }),
});

export async function forgetUsers(queries: QueryClient): Promise<void> {
  await queries.invalidateQueries({ queryKey: ['users'] });
  await queries.invalidateQueries({ queryKey: ['home'] });
}
