import { type QueryClient, queryOptions } from '@tanstack/react-query';
import { SessionsAnswer, UsersAnswer } from '../../../features/identity/wire.ts';
import { api } from '../../app/api.ts';

export const userList = queryOptions({
  queryKey: ['users'],
  queryFn: ({ signal }) => api.get('/api/users', UsersAnswer, { signal }),
});

export const sessionList = queryOptions({
  queryKey: ['sessions'],
  queryFn: ({ signal }) => api.get('/api/sessions', SessionsAnswer, { signal }),
});

export async function forgetUsers(queries: QueryClient): Promise<void> {
  await queries.invalidateQueries({ queryKey: userList.queryKey });
  await queries.invalidateQueries({ queryKey: ['home'] });
}
