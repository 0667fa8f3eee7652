import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useCallback, useMemo } from 'react';
import type { AuditEventSummary } from '../../../features/audit/wire.ts';
import { Tag } from '../../ui/bits.tsx';
import { IconAlertTriangle, IconBinaryTree2, IconClipboardList, IconRefresh } from '../../ui/icons.ts';
import { type Column, ListSkeleton, ListTable } from '../../ui/list-table.tsx';
import { Empty, FailureNotice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { Moment, Own } from '../../ui/text.tsx';
import { AuditDrawer } from './audit-drawer.tsx';
import { AuditFilterBar } from './audit-filters.tsx';
import { auditList } from './audit-queries.ts';
import { AuditProofLine } from './audit-status.tsx';
import './audit.css';

export const OUTCOME_WORDS = {
  success: 'done',
  'minor-failure': 'refused',
  'serious-failure': 'failed',
} as const;

const columns: readonly Column<AuditEventSummary>[] = [
  {
    key: 'what',
    header: 'What',
    width: 'minmax(11rem, 1.6fr)',
    phone: 'title',
    cell: (event) => event.title,
  },
  {
    key: 'outcome',
    header: 'Outcome',
    width: '6.5rem',
    phone: 'side',
    cell: (event) => <Outcome event={event} />,
  },
  {
    key: 'who',
    header: 'Who',
    width: 'minmax(9rem, 1.4fr)',
    phone: 'line',
    cell: (event) => <Own>{event.actor.name}</Own>,
  },
  { key: 'from', header: 'From', width: '8.5rem', wideOnly: true, cell: (event) => <From event={event} /> },
  {
    key: 'index',
    header: 'In the log',
    width: '6rem',
    align: 'end',
    cell: (event) =>
      event.index === undefined ? (
        <span className="soft">soon</span>
      ) : (
        <span title="Its number in the log">
          <IconBinaryTree2 size={15} aria-hidden className="in-log" /> {event.index.toLocaleString()}
        </span>
      ),
  },
  {
    key: 'when',
    header: 'When',
    width: '15.5rem',
    phone: 'corner',
    cell: (event) => <Moment iso={event.recorded} seconds />,
  },
];

function Outcome({ event }: { readonly event: AuditEventSummary }): ReactNode {
  if (event.outcome === 'success') return <span className="soft">{OUTCOME_WORDS.success}</span>;
  return (
    <Tag tone={event.outcome === 'serious-failure' ? 'red' : 'amber'} icon={<IconAlertTriangle aria-hidden />}>
      {OUTCOME_WORDS[event.outcome]}
    </Tag>
  );
}

function From({ event }: { readonly event: AuditEventSummary }): ReactNode {
  if (event.door === 'command-line') return 'command line';
  if (event.door === 'background') return 'Careseal itself';
  return event.address === undefined ? (
    <span className="soft">—</span>
  ) : (
    <span title={event.address}>{event.address}</span>
  );
}

/** Who did what, newest first, with the proof that nothing was taken out. */
export function AuditPage(): ReactNode {
  const { open, ...filters } = useSearch({ from: '/frame/audit' });
  const navigate = useNavigate();
  const list = useInfiniteQuery({ ...auditList(filters), placeholderData: (before) => before });
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.events) ?? [], [list.data]);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const filtered = Object.values(filters).some((value) => value !== undefined);
  return (
    <Page
      title="Audit"
      sentence="Everything that was read, changed, tried and refused. Looking at this page is in it too."
      action={
        <Button
          variant="default"
          leftSection={<IconRefresh size={17} aria-hidden />}
          loading={list.isRefetching && !list.isFetchingNextPage}
          onClick={() => void list.refetch()}
        >
          Look again
        </Button>
      }
    >
      <AuditProofLine />
      <AuditFilterBar
        filters={filters}
        onChange={(next) => void navigate({ to: '/audit', search: next, replace: true, resetScroll: false })}
      />
      {list.isError && <FailureNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <ListSkeleton rows={12} />}
      {list.isSuccess && rows.length === 0 && <NoEvents filtered={filtered} />}
      {rows.length > 0 && (
        <ListTable
          label="Audit events"
          columns={columns}
          rows={rows}
          rowKey={(event) => event.id}
          selectedKey={open}
          renderOpen={(event, content) => (
            <Link to="/audit" search={{ ...filters, open: event.id }} className="row-link" resetScroll={false}>
              {content}
            </Link>
          )}
          onEnd={onEnd}
          loadingMore={isFetchingNextPage}
        />
      )}
      {open !== undefined && (
        <AuditDrawer
          id={open}
          onClose={() => void navigate({ to: '/audit', search: filters, resetScroll: false })}
          onFilter={(part) => void navigate({ to: '/audit', search: { ...filters, ...part } })}
        />
      )}
    </Page>
  );
}

function NoEvents({ filtered }: { readonly filtered: boolean }): ReactNode {
  return (
    <Empty
      icon={<IconClipboardList size={24} />}
      title={filtered ? 'Nothing fits these filters' : 'Nothing has happened yet'}
      action={
        filtered && (
          <Button component={Link} to="/audit" variant="default">
            Show everything
          </Button>
        )
      }
    >
      <p>
        {filtered
          ? 'The log has events, but none like this. Take a filter away or widen the days.'
          : 'The first event appears with the first act: your own sign-in.'}
      </p>
    </Empty>
  );
}
