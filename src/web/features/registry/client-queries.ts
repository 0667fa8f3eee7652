import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { clientDetailReply, clientSearchReply } from '../../../features/registry/wire.ts';
import { api } from '../../app/api.ts';

/** Searches go by POST: what somebody types about a person never stands in an address. */
function search(q: string, limit: number, cursor: string | undefined, signal: AbortSignal) {
  return api.send(
    'POST',
    '/api/clients/search',
    clientSearchReply,
    { q, limit, ...(cursor === undefined ? {} : { cursor }) },
    { signal },
  );
}

export const clientSearch = (q: string, limit: number) =>
  queryOptions({
    queryKey: ['clients', 'search', q, limit],
    queryFn: ({ signal }) => search(q, limit, undefined, signal),
    staleTime: 15_000,
    // What was searched for is forgotten soon: it may be a name.
    gcTime: 60_000,
  });

const PAGE = 50;

export const clientList = (q: string) =>
  infiniteQueryOptions({
    queryKey: ['clients', 'list', q],
    initialPageParam: '',
    queryFn: ({ signal, pageParam }) => search(q, PAGE, pageParam === '' ? undefined : pageParam, signal),
    getNextPageParam: (last) => last.next,
    staleTime: 15_000,
    gcTime: 120_000,
  });

export const clientDetail = (id: string) =>
  queryOptions({
    queryKey: ['clients', 'one', id],
    queryFn: ({ signal }) => api.get(`/api/clients/${encodeURIComponent(id)}`, clientDetailReply, { signal }),
    staleTime: 10_000,
  });
