import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useCallback, useMemo } from 'react';
import { useSession } from '../../app/session.tsx';
import { IconClipboardList, IconRefresh } from '../../ui/icons.ts';
import { ListSkeleton, ListTable } from '../../ui/list-table.tsx';
import { Empty, FailureNotice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { eventColumns } from './audit-columns.tsx';
import { AuditDrawer } from './audit-drawer.tsx';
import { AuditFilterBar } from './audit-filters.tsx';
import { auditList } from './audit-queries.ts';
import { AuditProofLine } from './audit-status.tsx';
import { AuditTabs } from './audit-tabs.tsx';
import { SavedSearches } from './saved-searches.tsx';
import './audit.css';

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
  const { central } = useSession().user.organisation;
  const filtered = Object.values(filters).some((value) => value !== undefined);
  return (
    <Page
      title="Audit"
      sentence={
        central
          ? 'Everything that was read, changed, tried and refused. Looking at this page is in it too.'
          : 'What the people and systems of your organisation read, changed and tried. Looking at this page is in it too.'
      }
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
      <AuditTabs />
      <AuditProofLine />
      <AuditFilterBar
        filters={filters}
        onChange={(next) => void navigate({ to: '/audit', search: next, replace: true, resetScroll: false })}
      />
      <div className="row saved-row">
        <SavedSearches filters={filters} onOpen={(kept) => void navigate({ to: '/audit', search: kept })} />
      </div>
      {list.isError && <FailureNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <ListSkeleton rows={12} />}
      {list.isSuccess && rows.length === 0 && <NoEvents filtered={filtered} />}
      {rows.length > 0 && (
        <ListTable
          label="Audit events"
          columns={eventColumns}
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
