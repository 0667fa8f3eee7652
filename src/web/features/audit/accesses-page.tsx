import { Button, NumberInput, SegmentedControl } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { type ReactNode, useMemo, useState } from 'react';
import { api } from '../../app/api.ts';
import { useMay } from '../../app/session.tsx';
import { IconArrowLeft, IconClipboardList, IconPrinter } from '../../ui/icons.ts';
import { ListSkeleton, ListTable } from '../../ui/list-table.tsx';
import { Empty, FailureNotice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { Scroller } from '../../ui/scroller.tsx';
import { CalendarDate, Own } from '../../ui/text.tsx';
import { eventColumns } from './audit-columns.tsx';
import { AuditProofLine } from './audit-status.tsx';
import { DisclosureDialog } from './disclosure-dialog.tsx';
import { accesses, disclosures, ownView } from './report-queries.ts';
import { SaveAnswer } from './save-answer.tsx';
import './audit.css';

const PARTS = [
  { value: 'all', label: 'All' },
  { value: 'disclosures', label: 'Disclosures' },
  { value: 'client', label: 'For the client' },
];

const SENTENCES = {
  all: 'Everybody who looked at, changed or was given this record, as it stands in the log.',
  disclosures: 'To whom information from this record was given: systems, files, paper, and what was told of here.',
  client: 'The list a client may be given: who, what, why and how often, in plain words.',
} as const;

/** Who looked at this client. */
export function AccessesPage(): ReactNode {
  const { id } = useParams({ from: '/frame/audit/clients/$id' });
  const { part = 'all' } = useSearch({ from: '/frame/audit/clients/$id' });
  const navigate = useNavigate();
  const may = useMay();
  return (
    <Page
      title="Who looked at this client"
      sentence={SENTENCES[part]}
      above={
        may('client.read') ? (
          <Link to="/clients/$id" params={{ id }} className="back">
            <IconArrowLeft size={16} aria-hidden /> The client
          </Link>
        ) : undefined
      }
      action={
        <Button
          variant="default"
          leftSection={<IconPrinter size={17} aria-hidden />}
          onClick={() => {
            // That it was printed is recorded first; a page that may not say so still prints what one may see.
            void api.act('POST', `/api/clients/${id}/printed`).catch(() => undefined);
            window.print();
          }}
        >
          Print
        </Button>
      }
    >
      <AuditProofLine />
      <SegmentedControl
        mb="md"
        className="no-print"
        aria-label="Which list"
        value={part}
        onChange={(value) =>
          void navigate({
            to: '/audit/clients/$id',
            params: { id },
            search: value === 'disclosures' || value === 'client' ? { part: value } : {},
            replace: true,
          })
        }
        data={PARTS}
      />
      {part === 'all' && <Everything id={id} />}
      {part === 'disclosures' && <Disclosures id={id} />}
      {part === 'client' && <OwnView id={id} />}
    </Page>
  );
}

function Everything({ id }: { readonly id: string }): ReactNode {
  const list = useInfiniteQuery(accesses(id));
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.rows) ?? [], [list.data]);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  return (
    <>
      {list.isError && <FailureNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <ListSkeleton rows={8} />}
      {list.isSuccess && rows.length === 0 && <Nobody />}
      {rows.length > 0 && (
        <ListTable
          label="Who looked at this client"
          columns={eventColumns}
          rows={rows}
          rowKey={(event) => event.id}
          renderOpen={(event, content) => (
            <Link to="/audit" search={{ open: event.id }} className="row-link">
              {content}
            </Link>
          )}
          onEnd={() => {
            if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
          }}
          loadingMore={isFetchingNextPage}
        />
      )}
    </>
  );
}

function Nobody(): ReactNode {
  return (
    <Empty icon={<IconClipboardList size={24} />} title="Nobody yet">
      <p>The log has nothing about this record in this time.</p>
    </Empty>
  );
}

interface YearsProps {
  readonly id: string;
  readonly kind: 'disclosures' | 'own-view';
  readonly years: number;
  readonly onYears: (years: number) => void;
  readonly children?: ReactNode;
}

function YearsBar({ id, kind, years, onYears, children }: YearsProps): ReactNode {
  return (
    <div className="filters no-print">
      <NumberInput
        label="Years back"
        size="xs"
        min={1}
        max={30}
        value={years}
        onChange={(value) => onYears(Number(value) || 6)}
      />
      <SaveAnswer path={`/api/clients/${id}/files`} fileName={`careseal-${kind}`} body={() => ({ kind, years })} />
      {children}
    </div>
  );
}

const WAYS = { system: 'another system', file: 'file, print or copy', recorded: 'handed over' } as const;

function Disclosures({ id }: { readonly id: string }): ReactNode {
  const [years, setYears] = useState(6);
  const [telling, setTelling] = useState(false);
  const may = useMay();
  const reply = useQuery({ ...disclosures(id, years), placeholderData: (before) => before });
  return (
    <>
      <YearsBar id={id} kind="disclosures" years={years} onYears={setYears}>
        {may('client.read') && (
          <Button variant="default" onClick={() => setTelling(true)}>
            Tell of a disclosure
          </Button>
        )}
      </YearsBar>
      {reply.isError && <FailureNotice error={reply.error} onRetry={() => void reply.refetch()} />}
      {reply.isPending && <ListSkeleton rows={6} />}
      {reply.data?.rows.length === 0 && <Nobody />}
      {reply.data && reply.data.rows.length > 0 && (
        <Scroller label="Disclosures" className="table-scroll">
          <table className="plain-table paper">
            <thead>
              <tr>
                <th scope="col">Day</th>
                <th scope="col">To</th>
                <th scope="col">How</th>
                <th scope="col">What</th>
                <th scope="col">Why</th>
                <th scope="col" data-align="end">
                  Times
                </th>
              </tr>
            </thead>
            <tbody>
              {reply.data.rows.map((row) => (
                <tr key={row.id}>
                  <td>
                    <CalendarDate iso={row.at.slice(0, 10)} />
                  </td>
                  <td>
                    <Own>{row.to}</Own>
                  </td>
                  <td>{WAYS[row.way]}</td>
                  <td>{row.what}</td>
                  <td>{row.why === undefined ? <span className="soft">—</span> : <Own>{row.why}</Own>}</td>
                  <td data-align="end">{row.times}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroller>
      )}
      {telling && <DisclosureDialog id={id} onClose={() => setTelling(false)} />}
    </>
  );
}

function OwnView({ id }: { readonly id: string }): ReactNode {
  const [years, setYears] = useState(6);
  const reply = useQuery({ ...ownView(id, years), placeholderData: (before) => before });
  return (
    <>
      <YearsBar id={id} kind="own-view" years={years} onYears={setYears} />
      {reply.isError && <FailureNotice error={reply.error} onRetry={() => void reply.refetch()} />}
      {reply.isPending && <ListSkeleton rows={6} />}
      {reply.data?.rows.length === 0 && <Nobody />}
      {reply.data && reply.data.rows.length > 0 && (
        <Scroller label="Who used your record" className="table-scroll">
          <table className="plain-table paper">
            <thead>
              <tr>
                <th scope="col">Day</th>
                <th scope="col">Who</th>
                <th scope="col">What they did</th>
                <th scope="col">Why</th>
                <th scope="col" data-align="end">
                  Times
                </th>
              </tr>
            </thead>
            <tbody>
              {reply.data.rows.map((row) => (
                <tr key={`${row.day} ${row.who} ${row.what} ${row.why ?? ''}`}>
                  <td>
                    <CalendarDate iso={row.day} />
                  </td>
                  <td>
                    <Own>{row.who}</Own>
                  </td>
                  <td>{row.what}</td>
                  <td>{row.why === undefined ? <span className="soft">—</span> : <Own>{row.why}</Own>}</td>
                  <td data-align="end">{row.times}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroller>
      )}
    </>
  );
}
