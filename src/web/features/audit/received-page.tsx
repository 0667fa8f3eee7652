import { Button } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useCallback, useMemo, useState } from 'react';
import type { ReceivedEvent, ReceivedReply } from '../../../features/atna/wire-received.ts';
import { Tag } from '../../ui/bits.tsx';
import { IconAlertTriangle, IconPlugConnected } from '../../ui/icons.ts';
import { type Column, ListSkeleton, ListTable } from '../../ui/list-table.tsx';
import { Empty, FailureNotice, Notice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { Moment, Own } from '../../ui/text.tsx';
import { AuditTabs } from './audit-tabs.tsx';
import { ReceivedDrawer } from './received-drawer.tsx';
import { ReceivedFilterBar } from './received-filters.tsx';
import { received, type ReceivedFilters } from './received-queries.ts';
import { Outcome, titleOf, WAYS } from './received-words.tsx';
import { actors } from './report-queries.ts';

/** What is a sender's own words, or names a person: kept on the page and in no address. */
type Words = Pick<ReceivedFilters, 'source' | 'person'>;
type NameOf = (nodeId: string) => string | undefined;

/** Audit events that other systems sent here, newest first. */
export function ReceivedPage(): ReactNode {
  const { open, ...search } = useSearch({ from: '/frame/audit/received' });
  const navigate = useNavigate();
  const [words, setWords] = useState<Words>({});
  const filters: ReceivedFilters = { ...search, ...words };
  const list = useInfiniteQuery({ ...received(filters), placeholderData: (before) => before });
  const known = useQuery(actors);
  const nameOf: NameOf = (nodeId) => known.data?.actors.find(({ id }) => id === nodeId)?.name;
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.events) ?? [], [list.data]);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const [first] = list.data?.pages ?? [];
  const filtered = Object.values(filters).some((value) => value !== undefined && value !== '');
  const change = ({ source, person, ...rest }: ReceivedFilters): void => {
    setWords({ source, person });
    void navigate({ to: '/audit/received', search: rest, replace: true, resetScroll: false });
  };
  return (
    <Page
      title="Received"
      sentence="Audit events that other systems sent here. What they say is their word; who proved to have sent it stands beside it."
    >
      <AuditTabs />
      {first?.takes === false && rows.length > 0 && (
        <Notice tone="info" title="No events are taken now">
          <p>
            What came earlier is kept. To take events again, set <code>auditRepository</code>.
          </p>
        </Notice>
      )}
      {(rows.length > 0 || filtered) && <ReceivedFilterBar filters={filters} onChange={change} />}
      {list.isError && <FailureNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <ListSkeleton rows={12} />}
      {first !== undefined && rows.length === 0 && (
        <Nothing
          reply={first}
          filtered={filtered}
          further={hasNextPage ? { busy: isFetchingNextPage, look: () => void fetchNextPage() } : undefined}
          onEverything={() => change({})}
        />
      )}
      {rows.length > 0 && (
        <ListTable
          label="Received events"
          columns={columnsWith(nameOf)}
          rows={rows}
          rowKey={(event) => event.id}
          selectedKey={open}
          renderOpen={(event, content) => (
            <Link to="/audit/received" search={{ ...search, open: event.id }} className="row-link" resetScroll={false}>
              {content}
            </Link>
          )}
          onEnd={onEnd}
          loadingMore={isFetchingNextPage}
        />
      )}
      {open !== undefined && (
        <ReceivedDrawer
          id={open}
          nameOf={nameOf}
          onClose={() => void navigate({ to: '/audit/received', search, resetScroll: false })}
          onSource={(source) => change({ source })}
        />
      )}
    </Page>
  );
}

function columnsWith(nameOf: NameOf): readonly Column<ReceivedEvent>[] {
  return [
    { key: 'what', header: 'What', width: 'minmax(10rem, 1.4fr)', phone: 'title', cell: (event) => titleOf(event) },
    {
      key: 'outcome',
      header: 'Outcome',
      width: '8rem',
      phone: 'side',
      cell: (event) => <Outcome event={event} />,
    },
    {
      key: 'from',
      header: 'Sent by',
      width: 'minmax(9rem, 1.2fr)',
      phone: 'line',
      cell: (event) => <SentBy event={event} nameOf={nameOf} />,
    },
    {
      key: 'source',
      header: 'Source, as it says',
      width: 'minmax(8rem, 1fr)',
      wideOnly: true,
      phone: 'hide',
      cell: ({ source }) => (source === undefined ? <span className="soft">—</span> : <Own>{source}</Own>),
    },
    {
      key: 'way',
      header: 'Over',
      width: '9.5rem',
      wideOnly: true,
      phone: 'hide',
      cell: ({ transport }) => WAYS[transport],
    },
    {
      key: 'when',
      header: 'When',
      width: '15.5rem',
      phone: 'corner',
      cell: ({ recorded }) => <Moment iso={recorded} seconds />,
    },
  ];
}

interface SentByProps {
  readonly event: ReceivedEvent;
  readonly nameOf: NameOf;
}

function SentBy({ event: { nodeId, altered }, nameOf }: SentByProps): ReactNode {
  if (altered === true) {
    return (
      <Tag tone="red" icon={<IconAlertTriangle aria-hidden />}>
        changed since
      </Tag>
    );
  }
  if (nodeId !== undefined) return <Own>{nameOf(nodeId) ?? nodeId}</Own>;
  return (
    <Tag tone="amber" icon={<IconAlertTriangle aria-hidden />}>
      not proven
    </Tag>
  );
}

interface NothingProps {
  readonly reply: ReceivedReply;
  readonly filtered: boolean;
  /** Not everything was looked through yet. */
  readonly further: { readonly busy: boolean; readonly look: () => void } | undefined;
  readonly onEverything: () => void;
}

function Nothing({ reply, filtered, further, onEverything }: NothingProps): ReactNode {
  if (!filtered) return <HowSystemsSend reply={reply} />;
  return (
    <Empty
      icon={<IconPlugConnected size={24} />}
      title={further === undefined ? 'Nothing fits these filters' : 'Nothing yet among the newest events'}
      action={
        <>
          {further !== undefined && (
            <Button loading={further.busy} onClick={further.look}>
              Look further back
            </Button>
          )}
          <Button variant="default" onClick={onEverything}>
            Show everything
          </Button>
        </>
      }
    >
      <p>Sources and persons are found by exactly what the sender wrote. Take a filter away or widen the days.</p>
    </Empty>
  );
}

function HowSystemsSend({ reply: { takes, tlsPort, udpPort } }: { readonly reply: ReceivedReply }): ReactNode {
  if (!takes) {
    return (
      <Empty icon={<IconPlugConnected size={24} />} title="This server takes no events of other systems">
        <p>
          Careseal can be the audit repository of the systems around it (IHE ATNA). Whoever runs the server sets{' '}
          <code>auditRepository</code>, and <code>auditTlsPort</code> or <code>auditUdpPort</code> for syslog.
        </p>
      </Empty>
    );
  }
  return (
    <Empty icon={<IconPlugConnected size={24} />} title="No system has sent an event yet">
      <p>Systems that are added under Nodes send their events in one of these ways:</p>
      <ul className="plain-list">
        <li>
          FHIR: an AuditEvent to <code>/atna/AuditEvent</code>, or a Bundle of them to <code>/atna</code>, at the nodes’
          door.
        </li>
        <li>
          {tlsPort === undefined ? (
            <>
              Syslog over TLS: switched off; <code>auditTlsPort</code> opens it.
            </>
          ) : (
            <>
              Syslog over TLS (RFC 5425) with the node’s certificate, at port <code>{tlsPort}</code>.
            </>
          )}
        </li>
        <li>
          {udpPort === undefined ? (
            <>
              Syslog over UDP: switched off; <code>auditUdpPort</code> opens it. It proves no sender.
            </>
          ) : (
            <>
              Syslog over UDP, which proves no sender and may lose events, at port <code>{udpPort}</code>.
            </>
          )}
        </li>
      </ul>
    </Empty>
  );
}
