import { Button, Progress } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { LoadView } from '../../../features/load/wire.ts';
import { IconFileUpload } from '../../ui/icons.ts';
import { type Column, ListSkeleton, ListTable } from '../../ui/list-table.tsx';
import { shortSystem } from '../../ui/match-words.ts';
import { Empty, FailureNotice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { Ago, Count, Own } from '../../ui/text.tsx';
import { loadList } from './load-queries.ts';
import { LoadStateTag, shareOf } from './load-state.tsx';
import { WaitingFiles } from './waiting-files.tsx';
import './load.css';

const columns: readonly Column<LoadView>[] = [
  {
    key: 'file',
    header: 'File',
    width: 'minmax(9rem, 2fr)',
    phone: 'title',
    cell: (load) => <Own>{load.fileName}</Own>,
  },
  {
    key: 'state',
    header: 'State',
    width: '9.5rem',
    phone: 'side',
    cell: (load) =>
      load.state === 'running' ? (
        <span className="load-running">
          <Progress value={shareOf(load) * 100} size="sm" aria-label="Progress" className="load-running-bar" />
          <span className="numbers">{Math.floor(shareOf(load) * 100)} %</span>
        </span>
      ) : (
        <LoadStateTag load={load} />
      ),
  },
  {
    key: 'domain',
    header: 'Domain',
    width: 'minmax(7rem, 1.4fr)',
    wideOnly: true,
    cell: (load) => shortSystem(load.domain),
  },
  { key: 'read', header: 'Rows', width: '4.5rem', align: 'end', cell: (load) => <Count value={load.counts.read} /> },
  {
    key: 'created',
    header: 'New',
    width: '4.5rem',
    align: 'end',
    cell: (load) => <Count value={load.counts.created} />,
  },
  {
    key: 'updated',
    header: 'Changed',
    width: '4.5rem',
    wideOnly: true,
    align: 'end',
    cell: (load) => <Count value={load.counts.updated} />,
  },
  {
    key: 'linked',
    header: 'Linked',
    width: '4.5rem',
    wideOnly: true,
    align: 'end',
    cell: (load) => <Count value={load.counts.linked} />,
  },
  {
    key: 'reviews',
    header: 'Reviews',
    width: '4.5rem',
    wideOnly: true,
    align: 'end',
    cell: (load) => <Count value={load.counts.reviews} />,
  },
  {
    key: 'rejected',
    header: 'Rejected',
    width: '4.5rem',
    align: 'end',
    phone: 'line',
    cell: (load) => (
      <>
        <span className="phone-only">{load.counts.read.toLocaleString()} rows, </span>
        <span className={load.counts.rejected > 0 ? 'load-rejected' : ''}>
          <Count value={load.counts.rejected} />
        </span>
        <span className="phone-only"> rejected</span>
      </>
    ),
  },
  { key: 'started', header: 'Started', width: '7.5rem', phone: 'corner', cell: (load) => <Ago iso={load.startedAt} /> },
];

/** Files that were loaded, newest first; one that runs shows how far it is. */
export function LoadsPage(): ReactNode {
  const list = useQuery(loadList);
  const rows = list.data?.loads ?? [];
  const action = (
    <Button component={Link} to="/load/new" leftSection={<IconFileUpload size={17} aria-hidden />}>
      Load a file
    </Button>
  );
  return (
    <Page
      title="Load"
      sentence="Bring clients in from a spreadsheet (CSV) or from FHIR Patients (NDJSON). The same file twice changes nothing."
      action={rows.length > 0 && action}
    >
      {list.isError && <FailureNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <ListSkeleton />}
      {list.isSuccess && rows.length === 0 && (
        <Empty icon={<IconFileUpload size={24} />} title="Nothing was loaded yet" action={action}>
          <p>
            Save your spreadsheet as CSV with one person per row and names for the columns in the first row. Careseal
            guesses what each column is; you look at the first rows, and a dry run tells what would happen.
          </p>
        </Empty>
      )}
      {rows.length > 0 && (
        <ListTable
          label="Loads"
          columns={columns}
          rows={rows}
          rowKey={(load) => load.id}
          renderOpen={(load, content) => (
            <Link to="/load/$id" params={{ id: load.id }} className="row-link">
              {content}
            </Link>
          )}
        />
      )}
      <WaitingFiles />
    </Page>
  );
}
