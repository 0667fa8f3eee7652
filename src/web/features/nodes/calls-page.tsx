import { Button, SegmentedControl, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import type { WireCall, WireFailureGroup } from '../../../features/nodes/wire-calls.ts';
import { IconArrowsExchange } from '../../ui/icons.ts';
import { type Column, ListSkeleton, ListTable } from '../../ui/list-table.tsx';
import { Empty, FailureNotice } from '../../ui/notice.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { Scroller } from '../../ui/scroller.tsx';
import { Ago, bytesText, Moment, Own } from '../../ui/text.tsx';
import { CallsPicture } from './calls-picture.tsx';
import { Deliveries } from './deliveries.tsx';
import { type CallFilters, callFigures, calls, type Hours, nodeList } from './node-queries.ts';
import { NodeTabs } from './node-tabs.tsx';
import { Subscribers } from './subscribers.tsx';
import './nodes.css';

const columns: readonly Column<WireCall>[] = [
  { key: 'at', header: 'When', width: '9rem', phone: 'corner', cell: (call) => <Ago iso={call.at} /> },
  {
    key: 'node',
    header: 'Node',
    width: 'minmax(8rem, 1.4fr)',
    phone: 'title',
    cell: (call) => (call.node ? <Own>{call.node.name}</Own> : <span className="soft">nobody known</span>),
  },
  {
    key: 'what',
    header: 'Call',
    width: 'minmax(10rem, 2fr)',
    phone: 'line',
    cell: (call) => (
      <span>
        {call.method} <code>{call.route}</code>
      </span>
    ),
  },
  {
    key: 'status',
    header: 'Answer',
    width: 'minmax(11rem, 1.4fr)',
    phone: 'side',
    cell: (call) => (
      <span data-failed={call.status >= 400} className="call-status">
        {call.status} {call.code !== undefined && <span className="soft">{call.code}</span>}
      </span>
    ),
  },
  {
    key: 'ms',
    header: 'Time',
    width: '5.5rem',
    align: 'end',
    phone: 'hide',
    cell: (call) => `${call.milliseconds} ms`,
  },
  {
    key: 'bytes',
    header: 'Sizes',
    width: '9rem',
    align: 'end',
    wideOnly: true,
    phone: 'hide',
    cell: (call) =>
      `${call.bytesIn === undefined ? '—' : bytesText(call.bytesIn)} / ${call.bytesOut === undefined ? '—' : bytesText(call.bytesOut)}`,
  },
  {
    key: 'request',
    header: 'Correlation',
    width: 'minmax(7rem, 1fr)',
    wideOnly: true,
    phone: 'hide',
    cell: (call) => <code title={call.requestId}>{call.requestId}</code>,
  },
];

const HOURS: readonly { readonly value: Hours; readonly label: string }[] = [
  { value: '1', label: 'Hour' },
  { value: '24', label: 'Day' },
  { value: '168', label: 'Week' },
  { value: '720', label: 'Month' },
];

/** What systems asked and how it went: no content, no query, nobody's name. */
export function CallsPage(): ReactNode {
  const search = useSearch({ from: '/frame/nodes/transactions' });
  const navigate = useNavigate();
  const [hours, setHours] = useState<Hours>('24');
  const set = (part: CallFilters): void => {
    const next = Object.entries({ ...search, ...part }).filter(([, value]) => value !== undefined && value !== '');
    void navigate({ to: '/nodes/transactions', search: Object.fromEntries(next), resetScroll: false, replace: true });
  };
  const figures = useQuery(callFigures(search.node, hours));
  return (
    <Page
      title="Transactions"
      sentence="Every system’s calls and how they went. What was asked and answered is not kept here; the audit log has who saw whom."
    >
      <NodeTabs />
      <Filters search={search} onChange={set} />
      <Section
        title="At a glance"
        aside={
          <SegmentedControl
            size="xs"
            aria-label="Time shown"
            value={hours}
            data={[...HOURS]}
            onChange={(value) => setHours(HOURS.find((one) => one.value === value)?.value ?? '24')}
          />
        }
      >
        {figures.isError && <FailureNotice error={figures.error} onRetry={() => void figures.refetch()} />}
        {figures.data && <CallsPicture figures={figures.data} />}
      </Section>
      {figures.data && figures.data.failures.length > 0 && (
        <Failures failures={figures.data.failures} onChoose={(request) => set({ request })} />
      )}
      <Subscribers nodeId={search.node} />
      <Deliveries nodeId={search.node} />
      {/* Other filters, other pages: what was turned to belongs to the filters of then. */}
      <CallList key={JSON.stringify(search)} search={search} />
    </Page>
  );
}

function Filters({
  search,
  onChange,
}: {
  readonly search: CallFilters;
  readonly onChange: (part: CallFilters) => void;
}): ReactNode {
  const nodes = useQuery(nodeList);
  return (
    <div className="filters" role="search" aria-label="Filter the transactions">
      <Select
        label="Node"
        placeholder="every node"
        clearable
        searchable
        value={search.node ?? null}
        data={(nodes.data?.nodes ?? []).map(({ id, name }) => ({ value: id, label: name }))}
        onChange={(node) => onChange({ node: node ?? undefined })}
      />
      <Select
        label="Answer"
        placeholder="any"
        clearable
        value={search.status ?? null}
        data={[
          { value: 'ok', label: 'done' },
          { value: 'failed', label: 'refused or failed' },
          { value: 'refused', label: 'refused (4xx)' },
          { value: 'broken', label: 'failed here (5xx)' },
        ]}
        onChange={(status) => onChange({ status: status ?? undefined })}
      />
      <TextInput
        type="datetime-local"
        label="From"
        value={localText(search.from)}
        onChange={(event) => onChange({ from: isoText(event.currentTarget.value) })}
      />
      <TextInput
        type="datetime-local"
        label="To"
        value={localText(search.to)}
        onChange={(event) => onChange({ to: isoText(event.currentTarget.value) })}
      />
      <TextInput
        label="Correlation id"
        placeholder="X-Request-Id"
        value={search.request ?? ''}
        maxLength={64}
        spellCheck={false}
        onChange={(event) => onChange({ request: event.currentTarget.value.trim() || undefined })}
      />
    </div>
  );
}

/** `2026-11-22T13:05` in the reader's own zone. */
function localText(iso: string | undefined): string {
  if (iso === undefined) return '';
  const at = new Date(iso);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function isoText(local: string): string | undefined {
  return local === '' ? undefined : new Date(local).toISOString();
}

interface FailuresProps {
  readonly failures: readonly WireFailureGroup[];
  readonly onChoose: (request: string) => void;
}

function Failures({ failures, onChoose }: FailuresProps): ReactNode {
  return (
    <Section title="Failures, grouped" note="The same refusal of the same call of the same node is one line.">
      <Scroller label="Table of failures" className="calls-table">
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">Node</th>
              <th scope="col">Call</th>
              <th scope="col">Answer</th>
              <th scope="col" data-align="end">
                Times
              </th>
              <th scope="col">Last</th>
              <th scope="col">One of them</th>
            </tr>
          </thead>
          <tbody>
            {failures.map((group) => (
              <tr key={`${group.node?.id ?? ''} ${group.method} ${group.route} ${group.status} ${group.code ?? ''}`}>
                <th scope="row">
                  {group.node ? <Own>{group.node.name}</Own> : <span className="soft">nobody known</span>}
                </th>
                <td>
                  {group.method} <code>{group.route}</code>
                </td>
                <td>
                  {group.status} <span className="soft">{group.code}</span>
                </td>
                <td data-align="end">{group.calls.toLocaleString()}</td>
                <td>
                  <Moment iso={group.lastAt} />
                </td>
                <td>
                  <Button
                    variant="default"
                    size="xs"
                    onClick={() => onChoose(group.lastRequest)}
                    aria-label={`Show the last ${group.status} of ${group.method} ${group.route}`}
                  >
                    Show
                  </Button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
    </Section>
  );
}

function CallList({ search }: { readonly search: CallFilters }): ReactNode {
  const [pages, setPages] = useState<readonly (string | undefined)[]>([undefined]);
  const before = pages.at(-1);
  const list = useQuery(calls(search, before));
  const rows = list.data?.calls ?? [];
  const last = rows.at(-1)?.id;
  return (
    <Section
      title="Calls"
      note="Kept for 30 days. When more than 200 a second come, the rest is counted above and not listed."
      aside={
        <div className="row">
          <Button
            variant="default"
            size="xs"
            disabled={pages.length === 1}
            onClick={() => setPages(pages.slice(0, -1))}
          >
            Newer
          </Button>
          <Button
            variant="default"
            size="xs"
            disabled={list.data?.more !== true}
            onClick={() => setPages([...pages, last])}
          >
            Older
          </Button>
        </div>
      }
    >
      {list.isError && <FailureNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <ListSkeleton rows={8} />}
      {list.isSuccess && rows.length === 0 && (
        <Empty icon={<IconArrowsExchange size={24} />} title="No calls fit">
          <p>As soon as a system calls, its calls stand here. Change the filters to see others.</p>
        </Empty>
      )}
      {rows.length > 0 && (
        <ListTable
          label="List of calls"
          columns={columns}
          rows={rows}
          rowKey={(call) => call.id}
          renderOpen={(call, content) => (
            <Link
              to="/nodes/transactions"
              search={{ ...search, request: call.requestId }}
              className="row-link"
              resetScroll={false}
            >
              {content}
            </Link>
          )}
        />
      )}
    </Section>
  );
}
