import { Button, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
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
  { key: 'state', header: 'State', width: '10rem', phone: 'side', cell: (node) => <NodeState node={node} /> },
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

type State = WireNode['state'];
const STATES: readonly { readonly value: State; readonly label: string }[] = [
  { value: 'active', label: 'active' },
  { value: 'invited', label: 'invited' },
  { value: 'suspended', label: 'suspended' },
  { value: 'revoked', label: 'revoked' },
];
/** So many are read at a glance. */
const GLANCE = 8;

interface Wanted {
  readonly words: string;
  readonly state: State | null;
}

/** Every word is in the node's name, one of its domains or its organisation, in capitals or not. */
function fits({ words, state }: Wanted, { name, domains, organisation = '', state: own }: WireNode): boolean {
  if (state !== null && state !== own) return false;
  const text = [name, organisation, ...domains].join(' ').toLocaleLowerCase();
  return words
    .toLocaleLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

interface FindProps {
  readonly wanted: Wanted;
  readonly onChange: (wanted: Wanted) => void;
  /** `12 of 500 nodes` */
  readonly told: string;
}

function FindNodes({ wanted, onChange, told }: FindProps): ReactNode {
  return (
    <div className="filters" role="search" aria-label="Find a node">
      <TextInput
        label="Find"
        placeholder="name or domain"
        value={wanted.words}
        maxLength={100}
        spellCheck={false}
        onChange={(event) => onChange({ ...wanted, words: event.currentTarget.value })}
      />
      <Select
        label="State"
        placeholder="any"
        clearable
        value={wanted.state}
        data={[...STATES]}
        onChange={(value) => onChange({ ...wanted, state: STATES.find((one) => one.value === value)?.value ?? null })}
      />
      <p className="filters-count" role="status">
        {told}
      </p>
    </div>
  );
}

/** The systems that talk to Careseal. */
export function NodesPage(): ReactNode {
  const may = useMay();
  const navigate = useNavigate();
  const { node: open } = useSearch({ from: '/frame/nodes' });
  const list = useQuery(nodeList);
  const [wanted, setWanted] = useState<Wanted>({ words: '', state: null });
  const rows = list.data?.nodes ?? [];
  const shown = rows.filter((node) => fits(wanted, node));
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
      {rows.length > GLANCE && (
        <FindNodes
          wanted={wanted}
          onChange={setWanted}
          told={shown.length === rows.length ? `${rows.length} nodes` : `${shown.length} of ${rows.length} nodes`}
        />
      )}
      {rows.length > 0 && shown.length === 0 && (
        <Empty icon={<IconBuildingHospital size={24} />} title="No node fits">
          <p>Look for a part of its name or of a domain, or for any state.</p>
        </Empty>
      )}
      {shown.length > 0 && (
        <ListTable
          label="Nodes"
          columns={columnsFor(rows)}
          rows={shown}
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
