import { type QueryClient, infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { reviewDetailReply, reviewListReply } from '../../../features/registry/wire.ts';
import { api } from '../../app/api.ts';

export type ReviewState = 'open' | 'later' | 'decided';
export type ReviewDecision = 'link' | 'different' | 'later';

export const reviewList = (state: ReviewState) =>
  infiniteQueryOptions({
    queryKey: ['reviews', 'list', state],
    initialPageParam: '',
    queryFn: ({ signal, pageParam }) => {
      const query = new URLSearchParams({ state, limit: '50' });
      if (pageParam !== '') query.set('cursor', pageParam);
      return api.get(`/api/reviews?${query.toString()}`, reviewListReply, { signal });
    },
    getNextPageParam: (last) => last.next,
    staleTime: 10_000,
  });

export const reviewDetail = (id: string) =>
  queryOptions({
    queryKey: ['reviews', 'one', id],
    queryFn: ({ signal }) => api.get(`/api/reviews/${encodeURIComponent(id)}`, reviewDetailReply, { signal }),
    staleTime: 20_000,
  });

/** The decision just taken, so that it can be taken back from whatever page follows. */
export interface LastDecision {
  readonly reviewId: string;
  readonly decision: ReviewDecision;
}

const LAST = ['reviews', 'last-decision'] as const;

export const lastDecision = queryOptions({
  queryKey: LAST,
  queryFn: (): LastDecision | null => null,
  staleTime: Number.POSITIVE_INFINITY,
  gcTime: Number.POSITIVE_INFINITY,
});

export function rememberDecision(queries: QueryClient, decision: LastDecision | null): void {
  queries.setQueryData(lastDecision.queryKey, decision);
}

/** After a decision the queue, the pairs beside this one and both clients may look different. */
export async function forgetReviews(queries: QueryClient): Promise<void> {
  await Promise.all([
    queries.invalidateQueries({ queryKey: ['reviews', 'list'] }),
    queries.invalidateQueries({ queryKey: ['reviews', 'one'] }),
    queries.invalidateQueries({ queryKey: ['clients'] }),
    queries.invalidateQueries({ queryKey: ['home'] }),
  ]);
}
