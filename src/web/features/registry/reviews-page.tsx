import { Button, SegmentedControl } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useCallback, useMemo, useState } from 'react';
import type { ReviewSummary } from '../../../features/registry/wire.ts';
import { useMay, useSession } from '../../app/session.tsx';
import { Tag } from '../../ui/bits.tsx';
import { IconArrowsExchange, IconCheck, IconClock, IconUsers } from '../../ui/icons.ts';
import { type Column, ListSkeleton, ListTable } from '../../ui/list-table.tsx';
import { causeWords, shortCauseWords } from '../../ui/match-words.ts';
import { Empty, FailureNotice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { Ago, CalendarDate, Own, scoreText } from '../../ui/text.tsx';
import { QueueFilters } from './queue-filters.tsx';
import { type ReviewState, type ReviewView, reviewList } from './review-queries.ts';
import { ReviewRulesDialog } from './review-rules-dialog.tsx';
import { UndoBar } from './undo-bar.tsx';
import './review.css';

const columns: readonly Column<ReviewSummary>[] = [
  {
    key: 'pair',
    header: 'One record',
    width: 'minmax(8rem, 2fr)',
    phone: 'title',
    cell: (review) => (
      <>
        <Own>{review.a.name}</Own>
        <span className="phone-only soft">
          {' '}
          and <Own>{review.b.name}</Own>
        </span>
      </>
    ),
  },
  {
    key: 'born-a',
    header: 'Born',
    width: '6.5rem',
    phone: 'line',
    cell: (review) => <Born date={review.a.birthDate} />,
  },
  { key: 'other', header: 'The other', width: 'minmax(8rem, 2fr)', cell: (review) => <Own>{review.b.name}</Own> },
  { key: 'born-b', header: 'Born', width: '6.5rem', cell: (review) => <Born date={review.b.birthDate} /> },
  {
    key: 'score',
    header: 'Score',
    width: '4rem',
    align: 'end',
    phone: 'side',
    cell: (review) => scoreText(review.score),
  },
  {
    key: 'cause',
    header: 'Why it waits',
    width: '11rem',
    wideOnly: true,
    cell: (review) => <span title={causeWords(review.cause)}>{shortCauseWords(review.cause)}</span>,
  },
  {
    key: 'who',
    header: 'With',
    width: 'minmax(8.75rem, 0.8fr)',
    wideOnly: true,
    cell: (review) => <Who review={review} />,
  },
  { key: 'since', header: 'Since', width: '7.5rem', phone: 'corner', cell: (review) => <Since review={review} /> },
];

function Born({ date }: { readonly date: string | undefined }): ReactNode {
  return date === undefined ? <span className="soft">—</span> : <CalendarDate iso={date} />;
}

/** Who works on it, or whose proposal waits for a second person. */
function Who({ review }: { readonly review: ReviewSummary }): ReactNode {
  const { proposedBy, assignee } = review;
  if (proposedBy)
    return (
      <Tag tone="amber" icon={<IconUsers aria-hidden />}>
        {proposedBy.isMe ? 'you + a second' : 'needs a second'}
      </Tag>
    );
  if (!assignee) return <span className="soft">—</span>;
  return assignee.isMe ? 'you' : <Own>{assignee.name}</Own>;
}

function Since({ review }: { readonly review: ReviewSummary }): ReactNode {
  if (review.state !== 'decided') return <Ago iso={review.createdAt} />;
  return review.decision === 'link' ? (
    <Tag tone="accent" icon={<IconCheck aria-hidden />}>
      one person
    </Tag>
  ) : (
    <Tag tone="plain">different</Tag>
  );
}

interface QueueActionsProps {
  readonly first: ReviewSummary | undefined;
  readonly view: ReviewView;
}

function QueueActions({ first, view }: QueueActionsProps): ReactNode {
  const may = useMay();
  // Both are about pairs of all organisations together.
  const { central } = useSession().user.organisation;
  const [ruling, setRuling] = useState(false);
  return (
    <div className="row">
      {may('settings.manage') && (
        <Button variant="default" onClick={() => setRuling(true)}>
          Rules
        </Button>
      )}
      {central && (
        <Button variant="default" renderRoot={(props) => <Link {...props} to="/reviews/quality" />}>
          Quality
        </Button>
      )}
      <Button variant="default" renderRoot={(props) => <Link {...props} to="/reviews/models" />}>
        Models
      </Button>
      {central && may('review.decide') && (
        <Button variant="default" renderRoot={(props) => <Link {...props} to="/reviews/together" />}>
          Accept many
        </Button>
      )}
      {first && may('review.decide') && (
        <Button
          renderRoot={(props) => <Link {...props} to="/reviews/$id" params={{ id: first.id }} search={view} />}
          leftSection={<IconArrowsExchange size={17} aria-hidden />}
        >
          Start reviewing
        </Button>
      )}
      {ruling && <ReviewRulesDialog onClose={() => setRuling(false)} />}
    </div>
  );
}

/** The queue of pairs that wait for a person. */
export function ReviewsPage(): ReactNode {
  const { state = 'open', ...view } = useSearch({ from: '/frame/reviews' });
  const navigate = useNavigate();
  const list = useInfiniteQuery({ ...reviewList(state, view), placeholderData: (before) => before });
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.reviews) ?? [], [list.data]);
  const counts = list.data?.pages[0]?.counts;
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const first = rows[0];
  const choose = (value: string): void => {
    const next = value === 'later' || value === 'decided' ? value : undefined;
    void navigate({ to: '/reviews', search: { ...view, ...(next ? { state: next } : {}) }, replace: true });
  };
  const choseView = (next: ReviewView): void => {
    void navigate({ to: '/reviews', search: { ...next, ...(state === 'open' ? {} : { state }) }, replace: true });
  };
  return (
    <Page
      title="Reviews"
      sentence="Two records, probably one person: too alike to ignore, not alike enough to link without you."
      action={<QueueActions first={state === 'decided' ? undefined : first} view={view} />}
    >
      <div className="filters">
        <SegmentedControl
          aria-label="Which reviews"
          value={state}
          onChange={choose}
          data={[
            { value: 'open', label: labelOf('Open', counts?.open) },
            { value: 'later', label: labelOf('Later', counts?.later) },
            { value: 'decided', label: labelOf('Decided', undefined) },
          ]}
        />
        {state !== 'decided' && counts && (
          <QueueFilters view={view} counts={counts} onChange={(next) => choseView(next)} />
        )}
        {counts && <p className="filters-count">{counts.decidedToday.toLocaleString()} decided today</p>}
      </div>
      <UndoBar />
      {list.isError && <FailureNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <ListSkeleton />}
      {list.isSuccess && rows.length === 0 && <NoReviews state={state} whose={view.whose} />}
      {rows.length > 0 && (
        <ListTable
          label="Reviews"
          columns={columns}
          rows={rows}
          rowKey={(review) => review.id}
          renderOpen={(review, content) => (
            <Link to="/reviews/$id" params={{ id: review.id }} search={view} className="row-link">
              {content}
            </Link>
          )}
          onEnd={onEnd}
          loadingMore={list.isFetchingNextPage}
        />
      )}
    </Page>
  );
}

function labelOf(name: string, count: number | undefined): string {
  return count === undefined ? name : `${name} ${count.toLocaleString()}`;
}

function NoReviews({ state, whose }: { readonly state: ReviewState; readonly whose: ReviewView['whose'] }): ReactNode {
  if (state !== 'decided' && whose !== undefined)
    return (
      <Empty icon={<IconCheck size={24} />} title={EMPTY_WORDS[whose].title}>
        <p>{EMPTY_WORDS[whose].text}</p>
      </Empty>
    );
  if (state === 'later')
    return (
      <Empty icon={<IconClock size={24} />} title="Nothing was put off">
        <p>Pairs you are not sure about can be put off with S while reviewing. They wait here.</p>
      </Empty>
    );
  if (state === 'decided')
    return (
      <Empty icon={<IconArrowsExchange size={24} />} title="Nothing decided yet">
        <p>Every decision stands here with its reason, and can be taken back.</p>
      </Empty>
    );
  return (
    <Empty icon={<IconCheck size={24} />} title="Nothing waits">
      <p>
        When a file is loaded or a system sends a client, Careseal links what is certain and keeps apart what is not
        alike. The pairs between come here, for a person to decide.
      </p>
    </Empty>
  );
}

const EMPTY_WORDS = {
  mine: { title: 'You have taken nothing', text: 'Open a pair and take it, or let a colleague hand one to you.' },
  nobodys: {
    title: 'Everything is in somebody’s hands',
    text: 'Every pair that waits was taken by a colleague or by you.',
  },
  'waiting-for-second': {
    title: 'Nothing needs your agreement',
    text: 'When a colleague wants to join two clients and the rules ask for a second person, it comes here.',
  },
} as const;
