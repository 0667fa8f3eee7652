import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { type ReceivedOutcome, ReceivedOneReply, ReceivedReply } from '../../../features/atna/wire-received.ts';
import { api } from '../../app/api.ts';
import { dayStart } from './audit-queries.ts';

/** What is asked of the received events. `source` and `person` are a sender's words: they stand in no address. */
export interface ReceivedFilters {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly kind?: string | undefined;
  readonly outcome?: ReceivedOutcome | undefined;
  readonly source?: string | undefined;
  readonly person?: string | undefined;
}

function bodyOf({ from, to, ...rest }: ReceivedFilters, cursor: string): Record<string, unknown> {
  const all = {
    ...rest,
    from: from === undefined ? undefined : dayStart(from, 0),
    to: to === undefined ? undefined : dayStart(to, 1),
    cursor,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined && value !== ''));
}

export const received = (filters: ReceivedFilters) =>
  infiniteQueryOptions({
    queryKey: ['audit', 'received', filters],
    initialPageParam: '',
    queryFn: ({ signal, pageParam }) =>
      api.send('POST', '/api/audit/received', ReceivedReply, bodyOf(filters, pageParam), { signal }),
    getNextPageParam: (last) => last.next,
    staleTime: 5_000,
  });

export const receivedOne = (id: string) =>
  queryOptions({
    queryKey: ['audit', 'received', 'one', id],
    queryFn: ({ signal }) => api.get(`/api/audit/received/${encodeURIComponent(id)}`, ReceivedOneReply, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
