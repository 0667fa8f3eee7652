import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { AlertsReply, RulesReply } from '../../../features/alerts/wire.ts';
import { api } from '../../app/api.ts';

/** How many alerts wait; for the tab. */
export const openAlerts = queryOptions({
  queryKey: ['alerts', 'waiting'],
  queryFn: ({ signal }) => api.get('/api/alerts', AlertsReply, { signal }),
  staleTime: 30_000,
  refetchInterval: 60_000,
});

export const alertList = (state: 'open' | 'closed') =>
  infiniteQueryOptions({
    queryKey: ['alerts', 'list', state],
    initialPageParam: '',
    queryFn: ({ signal, pageParam }) =>
      api.get(`/api/alerts?state=${state}${pageParam === '' ? '' : `&before=${pageParam}`}`, AlertsReply, { signal }),
    getNextPageParam: (last) => last.next,
  });

export const alertRules = queryOptions({
  queryKey: ['alerts', 'rules'],
  queryFn: ({ signal }) => api.get('/api/alerts/rules', RulesReply, { signal }),
});
