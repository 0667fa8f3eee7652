import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { type ReactNode, useEffect, useState } from 'react';
import { type ReviewDetailReply, reviewDecisionReply } from '../../../features/registry/wire.ts';
import { api } from '../../app/api.ts';
import { useKeys } from '../../app/keys.ts';
import { PageWait } from '../../app/page-wait.tsx';
import { useMay } from '../../app/session.tsx';
import { Key, Tag } from '../../ui/bits.tsx';
import {
  IconArrowLeft,
  IconChevronLeft,
  IconChevronRight,
  IconClock,
  IconHelp,
  IconLink,
  IconUsers,
} from '../../ui/icons.ts';
import { causeWords } from '../../ui/match-words.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { Ago } from '../../ui/text.tsx';
import { Waterfall } from '../../ui/waterfall.tsx';
import { Comparison } from './comparison.tsx';
import { Proposal, ReviewHands } from './review-hands.tsx';
import {
  type ReviewDecision,
  type ReviewView as SeenAs,
  forgetReviews,
  rememberDecision,
  reviewDetail,
  viewQuery,
} from './review-queries.ts';
import { ReviewHelp } from './review-help.tsx';
import { UndoBar } from './undo-bar.tsx';
import './review.css';

/** One pair: side by side, why the score, and three answers by one key each. */
export function ReviewPage(): ReactNode {
  const { id } = useParams({ from: '/frame/reviews/$id' });
  const view = useSearch({ from: '/frame/reviews/$id' });
  const detail = useQuery({ ...reviewDetail(id, view), placeholderData: (before) => before });
  if (detail.isPending) return <PageWait />;
  if (detail.isError) {
    return (
      <Page title="Review" sentence="This pair could not be shown." above={<Back />} width="reading">
        <FailureNotice error={detail.error} onRetry={() => void detail.refetch()} />
      </Page>
    );
  }
  return <ReviewView key={detail.data.review.id} detail={detail.data} view={view} fresh={!detail.isPlaceholderData} />;
}

function Back(): ReactNode {
  return (
    <Link to="/reviews" className="back">
      <IconArrowLeft size={16} aria-hidden /> Reviews
    </Link>
  );
}

interface ReviewViewProps {
  readonly detail: ReviewDetailReply;
  readonly view: SeenAs;
  readonly fresh: boolean;
}

function useMoves(detail: ReviewDetailReply, view: SeenAs) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const open = (id: string | undefined): void => {
    if (id !== undefined) void navigate({ to: '/reviews/$id', params: { id }, search: view });
  };
  // The next pair is fetched while this one is looked at, so that J answers at once.
  useEffect(() => {
    if (detail.next !== undefined) void queries.prefetchQuery(reviewDetail(detail.next, view));
  }, [queries, detail.next, view]);
  return {
    next: () => open(detail.next),
    previous: () => open(detail.previous),
    open,
    toQueue: () => void navigate({ to: '/reviews', search: view }),
  };
}

function useDecision(id: string, view: SeenAs, moves: ReturnType<typeof useMoves>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (decision: ReviewDecision) =>
      api.send('POST', `/api/reviews/${id}/decision${viewQuery(view)}`, reviewDecisionReply, { decision }),
    onSuccess: async (answer, decision) => {
      const { alsoAnswered } = answer;
      rememberDecision(queries, {
        ...{ reviewId: id, alsoAnswered },
        decision: answer.waitsForSecond ? 'proposed' : decision,
      });
      // What was next before may be answered by this very decision.
      if (answer.next === undefined) moves.toQueue();
      else moves.open(answer.next);
      await forgetReviews(queries);
    },
  });
}

function ReviewView({ detail, view, fresh }: ReviewViewProps): ReactNode {
  const { review } = detail;
  const may = useMay();
  const moves = useMoves(detail, view);
  const [helping, setHelping] = useState(false);
  const decide = useDecision(review.id, view, moves);
  const mayDecide = may('review.decide') && review.state !== 'decided';
  const act = (decision: ReviewDecision) => (): void => {
    if (mayDecide && fresh && !decide.isPending) decide.mutate(decision);
  };
  useKeys({
    l: act('link'),
    d: act('different'),
    s: act('later'),
    j: moves.next,
    k: moves.previous,
    ArrowRight: moves.next,
    ArrowLeft: moves.previous,
    '?': () => setHelping(true),
  });
  return (
    <Page
      title="Review"
      heading="Are these two one person?"
      sentence={causeWords(review.cause)}
      above={<Back />}
      action={<Steps detail={detail} moves={moves} onHelp={() => setHelping(true)} />}
    >
      <UndoBar />
      {review.proposedBy && (
        <div className="review-proposal">
          <Proposal proposedBy={review.proposedBy} />
        </div>
      )}
      {decide.isError && <FailureNotice error={decide.error} focus onRetry={() => decide.reset()} />}
      <div className="review-grid" data-review={review.id} aria-busy={!fresh}>
        <Comparison review={review} />
        <Waterfall explanation={review.explanation} />
      </div>
      <footer className="page-foot review-answers">
        {mayDecide ? (
          <Answers
            onAct={act}
            busy={decide.isPending ? decide.variables : undefined}
            agreeing={review.proposedBy?.isMe === false}
          />
        ) : (
          <Decided review={review} mayDecide={may('review.decide')} />
        )}
        {mayDecide && <ReviewHands review={review} />}
        <span className="soft small review-age">
          opened <Ago iso={review.createdAt} />
        </span>
      </footer>
      {helping && <ReviewHelp onClose={() => setHelping(false)} />}
    </Page>
  );
}

interface StepsProps {
  readonly detail: ReviewDetailReply;
  readonly moves: ReturnType<typeof useMoves>;
  readonly onHelp: () => void;
}

function Steps({ detail, moves, onHelp }: StepsProps): ReactNode {
  return (
    <div className="row">
      <span className="soft numbers">
        {detail.counts.open.toLocaleString()} open, {detail.counts.decidedToday.toLocaleString()} decided today
      </span>
      <Step label="Previous pair (K)" onClick={moves.previous} off={detail.previous === undefined}>
        <IconChevronLeft size={19} />
      </Step>
      <Step label="Next pair (J)" onClick={moves.next} off={detail.next === undefined}>
        <IconChevronRight size={19} />
      </Step>
      <Step label="Keys (?)" onClick={onHelp}>
        <IconHelp size={19} />
      </Step>
    </div>
  );
}

interface StepProps {
  readonly label: string;
  readonly onClick: () => void;
  readonly off?: boolean;
  readonly children: ReactNode;
}

function Step({ label, onClick, off = false, children }: StepProps): ReactNode {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="default" size="lg" aria-label={label} onClick={onClick} disabled={off}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}

interface AnswersProps {
  readonly onAct: (decision: ReviewDecision) => () => void;
  readonly busy: ReviewDecision | undefined;
  /** Somebody else proposed the link. */
  readonly agreeing: boolean;
}

function Answers({ onAct, busy, agreeing }: AnswersProps): ReactNode {
  return (
    <div className="answers" role="group" aria-label="Your decision">
      <Button
        leftSection={<IconLink size={18} aria-hidden />}
        rightSection={<Key>L</Key>}
        aria-keyshortcuts="L"
        loading={busy === 'link'}
        onClick={onAct('link')}
      >
        {agreeing ? 'I agree: one person' : 'One person'}
      </Button>
      <Button
        variant="default"
        leftSection={<IconUsers size={18} aria-hidden />}
        rightSection={<Key>D</Key>}
        aria-keyshortcuts="D"
        loading={busy === 'different'}
        onClick={onAct('different')}
      >
        Different people
      </Button>
      <Button
        variant="subtle"
        color="gray"
        leftSection={<IconClock size={18} aria-hidden />}
        rightSection={<Key>S</Key>}
        aria-keyshortcuts="S"
        loading={busy === 'later'}
        onClick={onAct('later')}
      >
        Later
      </Button>
    </div>
  );
}

function Decided({
  review,
  mayDecide,
}: {
  readonly review: ReviewDetailReply['review'];
  readonly mayDecide: boolean;
}): ReactNode {
  const queries = useQueryClient();
  const undo = useMutation({
    mutationFn: () => api.act('POST', `/api/reviews/${review.id}/undo`),
    onSuccess: () => {
      rememberDecision(queries, null);
      return forgetReviews(queries);
    },
  });
  if (review.state !== 'decided') return <span className="soft">You may look, a steward decides.</span>;
  return (
    <div className="answers">
      <Tag tone={review.decision === 'link' ? 'accent' : 'plain'}>
        {review.decision === 'link' ? 'Decided: one person' : 'Decided: different people'}
      </Tag>
      {review.decidedAt !== undefined && <Ago iso={review.decidedAt} />}
      {mayDecide && (
        <Button variant="default" size="xs" loading={undo.isPending} onClick={() => undo.mutate()}>
          Take back
        </Button>
      )}
      {undo.isError && <FailureNotice error={undo.error} />}
    </div>
  );
}
