import { Button } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { WireDelivery } from '../../../features/subscriptions/wire.ts';
import { useMay } from '../../app/session.tsx';
import { IconRefresh } from '../../ui/icons.ts';
import { type Column, ListTable } from '../../ui/list-table.tsx';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import { Moment, Own } from '../../ui/text.tsx';
import { DeliveryDrawer } from './delivery-drawer.tsx';
import { deadLetters, failureInWords, useRerun } from './delivery-queries.ts';
import { nodeList } from './node-queries.ts';

/** Notifications that could not be delivered: looked at, and sent again once the other side is well. */
export function Deliveries({ nodeId }: { readonly nodeId: string | undefined }): ReactNode {
  const mayManage = useMay()('node.manage');
  const list = useInfiniteQuery(deadLetters(nodeId));
  const nodes = useQuery(nodeList);
  const rerun = useRerun();
  const [looked, setLooked] = useState<WireDelivery | undefined>();
  const rows = list.data?.pages.flatMap(({ deliveries }) => deliveries) ?? [];
  const nameOf = (id: string) => nodes.data?.nodes.find((node) => node.id === id)?.name ?? id;
  const sent = rerun.data?.rerun;
  if (list.isError) return <FailureNotice error={list.error} onRetry={() => void list.refetch()} />;
  if (rows.length === 0 && sent === undefined) return null;
  return (
    <Section
      title="Undelivered notifications"
      note="Given up after many tries. Send them again once the subscriber answers."
      aside={
        mayManage && rows.length > 0 ? (
          <Button
            variant="default"
            size="xs"
            leftSection={<IconRefresh size={16} aria-hidden />}
            loading={rerun.isPending}
            onClick={() => rerun.mutate({ nodeId })}
          >
            {nodeId === undefined ? 'Send all again' : `Send all of ${nameOf(nodeId)} again`}
          </Button>
        ) : undefined
      }
    >
      {rerun.isError && <FailureNotice error={rerun.error} focus />}
      {sent !== undefined && (
        <Notice
          tone="info"
          title={sent === 1 ? 'One is on its way again' : `${sent.toLocaleString()} are on their way again`}
        >
          <p>What fails anew comes back here after its tries.</p>
        </Notice>
      )}
      {rows.length > 0 && <DeadTable rows={rows} nameOf={nameOf} onLook={setLooked} />}
      {list.hasNextPage && (
        <Button variant="default" size="xs" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          Show more
        </Button>
      )}
      {looked && (
        <DeliveryDrawer
          id={looked.id}
          nodeName={nameOf(looked.nodeId)}
          mayManage={mayManage}
          onClose={() => setLooked(undefined)}
        />
      )}
    </Section>
  );
}

interface DeadTableProps {
  readonly rows: readonly WireDelivery[];
  readonly nameOf: (nodeId: string) => string;
  readonly onLook: (delivery: WireDelivery) => void;
}

const ABOUT_A_DELIVERY: readonly Column<WireDelivery>[] = [
  {
    key: 'since',
    header: 'Since',
    width: '14rem',
    phone: 'corner',
    cell: ({ createdAt }) => <Moment iso={createdAt} />,
  },
  {
    key: 'tries',
    header: 'Tries',
    width: '5rem',
    align: 'end',
    phone: 'side',
    cell: ({ attempts }) => (
      <>
        {attempts}
        <span className="phone-only"> {attempts === 1 ? 'try' : 'tries'}</span>
      </>
    ),
  },
  {
    key: 'failure',
    header: 'Why not',
    width: 'minmax(10rem, 2fr)',
    phone: 'line',
    cell: ({ failure }) => failureInWords(failure),
  },
];

const ownName = (name: string) => <Own>{name}</Own>;

function DeadTable({ rows, nameOf, onLook }: DeadTableProps): ReactNode {
  const columns: readonly Column<WireDelivery>[] = [
    {
      key: 'node',
      header: 'Node',
      width: 'minmax(8rem, 1.4fr)',
      phone: 'title',
      cell: ({ nodeId }) => ownName(nameOf(nodeId)),
    },
    ...ABOUT_A_DELIVERY,
  ];
  return (
    <ListTable
      label="Undelivered notifications"
      columns={columns}
      rows={rows}
      rowKey={({ id }) => id}
      renderOpen={(delivery, content) => (
        <button
          type="button"
          className="row-link"
          aria-label={`Look at the notification for ${nameOf(delivery.nodeId)}`}
          onClick={() => onLook(delivery)}
        >
          {content}
        </button>
      )}
    />
  );
}
