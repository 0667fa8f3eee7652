import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useEffect } from 'react';
import { api } from './api.ts';
import { Failure } from './failure.ts';
import { PendingNoticesAnswer } from '../../features/identity/wire-policy.ts';

const NoticeDialog = lazy(async () => ({
  default: (await import('../features/identity/notice-dialog.tsx')).NoticeDialog,
}));

/** What somebody must have read before they go on: covers the page until it was acknowledged. */
export function NoticeGate(): ReactNode {
  const queries = useQueryClient();
  // A notice published meanwhile: the server refuses everything else until it is read, so it is fetched at once.
  useEffect(
    () =>
      queries.getQueryCache().subscribe(({ type, query }) => {
        if (type !== 'updated' || !isRefusedForNotice(query.state.error)) return;
        void queries.invalidateQueries({ queryKey: ['notices', 'pending'] });
      }),
    [queries],
  );
  const pending = useQuery({
    queryKey: ['notices', 'pending'],
    queryFn: ({ signal }) => api.get('/api/notices/pending', PendingNoticesAnswer, { signal }),
    staleTime: 300_000,
    // A page must not hang on it: what could not be asked now is asked at the next load.
    retry: 1,
  });
  const first = pending.data?.notices[0];
  if (first === undefined) return null;
  return (
    <Suspense fallback={null}>
      <NoticeDialog key={first.id} notice={first} />
    </Suspense>
  );
}

const isRefusedForNotice = (error: unknown): boolean => error instanceof Failure && error.code === 'notice-pending';
