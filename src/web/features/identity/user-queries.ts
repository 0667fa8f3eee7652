import { infiniteQueryOptions, type QueryClient, queryOptions } from '@tanstack/react-query';
import { SessionsAnswer, UserAnswer, type UserEntry, UsersAnswer } from '../../../features/identity/wire.ts';
import { FactorsAnswer } from '../../../features/identity/wire-factors.ts';
import { api } from '../../app/api.ts';

export interface PeopleAsked {
  readonly text: string;
  readonly state: UserEntry['state'] | undefined;
  readonly organisation: string | undefined;
}

/** People by state and words; the words go in the body, since an address is kept by browsers and proxies. */
export const userPages = (asked: PeopleAsked) =>
  infiniteQueryOptions({
    queryKey: ['users', asked],
    queryFn: ({ signal, pageParam }) => {
      const { state, text, organisation } = asked;
      const filter = { ...(state ? { state } : {}), ...(organisation ? { organisation } : {}) };
      const body = { text, ...filter, ...(pageParam === '' ? {} : { after: pageParam }) };
      return api.send('POST', '/api/users/search', UsersAnswer, body, { signal });
    },
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
  });

/** One person, who need not be among those of a list that were read so far. */
export const onePerson = (id: string) =>
  queryOptions({
    queryKey: ['users', 'one', id],
    queryFn: ({ signal }) => api.get(`/api/users/${encodeURIComponent(id)}`, UserAnswer, { signal }),
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
