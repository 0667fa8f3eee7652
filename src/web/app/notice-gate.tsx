import { useQuery } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense } from 'react';
import { api } from './api.ts';
import { PendingNoticesAnswer } from '../../features/identity/wire-policy.ts';

const NoticeDialog = lazy(async () => ({
  default: (await import('../features/identity/notice-dialog.tsx')).NoticeDialog,
}));

/** What somebody must have read before they go on: covers the page until it was acknowledged. */
export function NoticeGate(): ReactNode {
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
