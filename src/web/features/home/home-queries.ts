import { queryOptions } from '@tanstack/react-query';
import { homeReply } from '../../../features/home/wire.ts';
import { api } from '../../app/api.ts';

export type { HomeReply } from '../../../features/home/wire.ts';

export const homeQuery = queryOptions({
  queryKey: ['home'],
  queryFn: ({ signal }) => api.get('/api/home', homeReply, { signal }),
  refetchInterval: 60_000,
});
