import { type QueryClient, infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import {
  bulksReply,
  reviewDetailReply,
  reviewersReply,
  reviewListReply,
  reviewRules,
} from '../../../features/registry/wire.ts';
import { linkCheckReply, qualityReply } from '../../../features/registry/wire-quality.ts';
import { api } from '../../app/api.ts';

export type ReviewState = 'open' | 'later' | 'decided';
export type ReviewDecision = 'link' | 'different' | 'later';

/** How the queue is looked at; missing is oldest first, everybody's. */
export interface ReviewView {
  readonly order?: 'likeliest' | undefined;
  readonly whose?: 'mine' | 'nobodys' | 'waiting-for-second' | undefined;
}

/** The view as query text, beginning with `?` or empty. */
export function viewQuery({ order, whose }: ReviewView): string {
  const query = new URLSearchParams({ ...(order ? { order } : {}), ...(whose ? { whose } : {}) }).toString();
  return query === '' ? '' : `?${query}`;
}

export const reviewList = (state: ReviewState, view: ReviewView) =>
  infiniteQueryOptions({
    queryKey: ['reviews', 'list', state, view],
    initialPageParam: '',
    queryFn: ({ signal, pageParam }) => {
      const query = new URLSearchParams(viewQuery(view));
      query.set('state', state);
      query.set('limit', '50');
      if (pageParam !== '') query.set('cursor', pageParam);
      return api.get(`/api/reviews?${query.toString()}`, reviewListReply, { signal });
    },
    getNextPageParam: (last) => last.next,
    staleTime: 10_000,
  });

export const reviewDetail = (id: string, view: ReviewView) =>
  queryOptions({
    queryKey: ['reviews', 'one', id, view],
    queryFn: ({ signal }) =>
      api.get(`/api/reviews/${encodeURIComponent(id)}${viewQuery(view)}`, reviewDetailReply, { signal }),
    staleTime: 20_000,
  });

/** The decision just taken, so that it can be taken back from whatever page follows. */
export interface LastDecision {
  readonly reviewId: string;
  /** `proposed`: a link that waits for a second person. */
  readonly decision: ReviewDecision | 'proposed';
  /** Other questions about the same two people that it answered as well. */
  readonly alsoAnswered: number;
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

export const reviewers = queryOptions({
  queryKey: ['reviews', 'reviewers'],
  queryFn: ({ signal }) => api.get('/api/reviewers', reviewersReply, { signal }),
  staleTime: 60_000,
});

export const reviewGroups = queryOptions({
  queryKey: ['reviews', 'groups'],
  queryFn: ({ signal }) => api.get('/api/review-groups', bulksReply, { signal }),
  staleTime: 5_000,
});

export const qualityQuery = queryOptions({
  queryKey: ['quality', 'all'],
  queryFn: ({ signal }) => api.get('/api/quality', qualityReply, { signal }),
  staleTime: 10_000,
});

export const nextLinkCheck = queryOptions({
  queryKey: ['quality', 'next'],
  queryFn: ({ signal }) => api.get('/api/quality/checks/next', linkCheckReply, { signal }),
  staleTime: 0,
});

export const reviewRulesQuery = queryOptions({
  queryKey: ['reviews', 'rules'],
  queryFn: ({ signal }) => api.get('/api/review-rules', reviewRules, { signal }),
  staleTime: 60_000,
});
