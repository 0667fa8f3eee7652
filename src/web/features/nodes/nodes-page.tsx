import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { WireNode } from '../../../features/nodes/wire.ts';
import { useMay } from '../../app/session.tsx';
import { IconBuildingHospital, IconPlus } from '../../ui/icons.ts';
import { type Column, ListSkeleton, ListTable } from '../../ui/list-table.tsx';
import { shortSystem } from '../../ui/match-words.ts';
import { Empty, FailureNotice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { Ago, Own } from '../../ui/text.tsx';
import { NodeDrawer } from './node-drawer.tsx';
import { nodeList } from './node-queries.ts';
import { NodeTabs } from './node-tabs.tsx';
import { NodeExpiry, NodeState } from './node-state.tsx';

const columns: readonly Column<WireNode>[] = [
  { key: 'name', header: 'Name', width: 'minmax(9rem, 1.4fr)', phone: 'title', cell: (node) => <Own>{node.name}</Own> },
  {
    key: 'domains',
    header: 'Domains',
    width: 'minmax(9rem, 2fr)',
    phone: 'line',
    cell: (node) => <span title={node.domains.join('\n')}>{node.domains.map(shortSystem).join(', ')}</span>,
  },
  { key: 'state', header: 'State', width: '8.5rem', phone: 'side', cell: (node) => <NodeState node={node} /> },
  {
    key: 'expiry',
    header: 'Certificate until',
    width: '10rem',
    phone: 'corner',
    cell: (node) => <NodeExpiry node={node} />,
  },
  {
    key: 'seen',
    header: 'Last seen',
    width: '8.5rem',
    cell: (node) =>
      node.lastSeenAt === undefined ? <span className="soft">not yet</span> : <Ago iso={node.lastSeenAt} />,
  },
];

const organisationColumn: Column<WireNode> = {
  key: 'organisation',
  header: 'Organisation',
  width: 'minmax(8rem, 1.2fr)',
  phone: 'hide',
  cell: (node) => <Own>{node.organisation ?? ''}</Own>,
};

/** Whose a node is matters only to who sees those of several. */
function columnsFor(rows: readonly WireNode[]): readonly Column<WireNode>[] {
  if (new Set(rows.map(({ organisationId }) => organisationId)).size < 2) return columns;
  return [...columns.slice(0, 1), organisationColumn, ...columns.slice(1)];
}

/** The systems that talk to Careseal. */
export function NodesPage(): ReactNode {
  const may = useMay();
  const navigate = useNavigate();
  const { node: open } = useSearch({ from: '/frame/nodes' });
  const list = useQuery(nodeList);
  const rows = list.data?.nodes ?? [];
  const chosen = rows.find((node) => node.id === open);
  const add = may('node.manage') && (
    <Button component={Link} to="/nodes/add" leftSection={<IconPlus size={17} aria-hidden />}>
      Add a node
    </Button>
  );
  return (
    <Page
      title="Nodes"
      sentence="Systems that send and ask for clients: clinics, hospitals, laboratories. Each is known by its certificate."
      action={rows.length > 0 && add}
    >
      <NodeTabs />
      {list.isError && <FailureNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <ListSkeleton rows={5} />}
      {list.isSuccess && rows.length === 0 && (
        <Empty icon={<IconBuildingHospital size={24} />} title="No system is connected yet" action={add}>
          <p>
            A node gets a certificate of its own and may then register and find clients over FHIR. Without a certificate
            nobody reaches the nodes’ door at all. You give it a name and the domain of its record numbers.
          </p>
        </Empty>
      )}
      {rows.length > 0 && (
        <ListTable
          label="Nodes"
          columns={columnsFor(rows)}
          rows={rows}
          rowKey={(node) => node.id}
          selectedKey={open}
          renderOpen={(node, content) => (
            <Link to="/nodes" search={{ node: node.id }} className="row-link" resetScroll={false}>
              {content}
            </Link>
          )}
        />
      )}
      {chosen && (
        <NodeDrawer
          node={chosen}
          mayManage={may('node.manage')}
          onClose={() => void navigate({ to: '/nodes', search: {}, resetScroll: false })}
        />
      )}
    </Page>
  );
}
