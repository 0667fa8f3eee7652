import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import {
  deliveryDetailSchema,
  deliveryListSchema,
  rerunResponseSchema,
  subscriberListSchema,
} from '../../../features/subscriptions/wire.ts';
import { api } from '../../app/api.ts';

const KEY = 'deliveries';

/** Dead letters, newest first, by pages; of one node, or of all. */
export const deadLetters = (nodeId: string | undefined) =>
  infiniteQueryOptions({
    queryKey: [KEY, 'dead', nodeId],
    queryFn: ({ signal, pageParam }) => {
      const query = new URLSearchParams({ state: 'dead', limit: '20' });
      if (nodeId !== undefined) query.set('nodeId', nodeId);
      if (pageParam !== undefined) query.set('before', pageParam);
      return api.get(`/api/deliveries?${query.toString()}`, deliveryListSchema, { signal });
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next,
    staleTime: 5_000,
  });

export const delivery = (id: string) =>
  queryOptions({
    queryKey: [KEY, 'one', id],
    queryFn: ({ signal }) => api.get(`/api/deliveries/${encodeURIComponent(id)}`, deliveryDetailSchema, { signal }),
    staleTime: 5_000,
  });

export const subscribers = queryOptions({
  queryKey: [KEY, 'subscribers'],
  queryFn: ({ signal }) => api.get('/api/subscribers', subscriberListSchema, { signal }),
  staleTime: 5_000,
});

/** Sends one again, those of a node, or all. */
export function useRerun() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (what: { readonly id: string } | { readonly nodeId: string | undefined }) =>
      'id' in what
        ? api.send('POST', `/api/deliveries/${what.id}/rerun`, rerunResponseSchema)
        : api.send(
            'POST',
            '/api/deliveries/rerun',
            rerunResponseSchema,
            what.nodeId === undefined ? {} : { nodeId: what.nodeId },
          ),
    onSuccess: () => queries.invalidateQueries({ queryKey: [KEY] }),
  });
}

/** Codes of failures in words; a code that has none is shown as it is. */
export function failureInWords(code: string | undefined): string {
  if (code === undefined) return 'not known';
  const status = /^http-(\d{3})$/.exec(code)?.[1];
  if (status !== undefined)
    return status.startsWith('4') ? `the subscriber refused it (${status})` : `the subscriber failed (${status})`;
  return WORDS[code] ?? code;
}

const WORDS: Readonly<Record<string, string>> = {
  'outbound-timeout': 'no answer in time',
  'outbound-unreachable': 'could not be reached',
  'outbound-forbidden': 'its address is in a network that is not allowed',
  'outbound-tls': 'its certificate is not good',
  'outbound-too-large': 'its answer was too large',
  'outbound-url': 'its address is not https',
  'node-not-active': 'the node is suspended or revoked',
};
