import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { reviewUndoReply } from '../../../features/registry/wire.ts';
import { api } from '../../app/api.ts';
import { useKeys } from '../../app/keys.ts';
import { Key } from '../../ui/bits.tsx';
import { IconArrowBackUp, IconCircleCheck } from '../../ui/icons.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { forgetReviews, lastDecision, rememberDecision } from './review-queries.ts';

const DONE_WORDS = {
  link: 'Linked: one person.',
  different: 'Kept apart: different people.',
  later: 'Put off for later.',
  proposed: 'Proposed: a second person has to agree.',
} as const;

function alsoWords(count: number): string {
  if (count === 0) return '';
  return count === 1
    ? ' Another question about the same two people is answered with it.'
    : ` ${count.toLocaleString()} other questions about the same two people are answered with it.`;
}

/** What was just decided, and the way back (U). */
export function UndoBar(): ReactNode {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { data: last } = useQuery(lastDecision);
  const undo = useMutation({
    mutationFn: (reviewId: string) => api.send('POST', `/api/reviews/${reviewId}/undo`, reviewUndoReply),
    onSuccess: async (answer) => {
      rememberDecision(queries, null);
      await forgetReviews(queries);
      await navigate({ to: '/reviews/$id', params: { id: answer.review.id } });
    },
  });
  const act = (): void => {
    if (last && !undo.isPending) undo.mutate(last.reviewId);
  };
  useKeys({ u: act });
  if (undo.isError) return <FailureNotice error={undo.error} failed="The decision could not be taken back." />;
  return (
    <div className="undo" role="status" data-shown={Boolean(last)}>
      {last && (
        <>
          <IconCircleCheck size={18} aria-hidden />
          <span>{DONE_WORDS[last.decision] + alsoWords(last.alsoAnswered)}</span>
          <Button
            variant="subtle"
            size="compact-sm"
            leftSection={<IconArrowBackUp size={16} aria-hidden />}
            onClick={act}
            loading={undo.isPending}
          >
            Undo
          </Button>
          <Key>U</Key>
        </>
      )}
    </div>
  );
}
