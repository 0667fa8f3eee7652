import { type QueryClient, queryOptions } from '@tanstack/react-query';
import { SessionsAnswer, UsersAnswer } from '../../../features/identity/wire.ts';
import { FactorsAnswer } from '../../../features/identity/wire-factors.ts';
import { api } from '../../app/api.ts';

export const userList = queryOptions({
  queryKey: ['users'],
  queryFn: ({ signal }) => api.get('/api/users', UsersAnswer, { signal }),
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
  await queries.invalidateQueries({ queryKey: userList.queryKey });
  await queries.invalidateQueries({ queryKey: ['home'] });
}
