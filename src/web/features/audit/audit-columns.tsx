import type { ReactNode } from 'react';
import type { AuditEventSummary } from '../../../features/audit/wire.ts';
import { Tag } from '../../ui/bits.tsx';
import { IconAlertTriangle, IconBinaryTree2 } from '../../ui/icons.ts';
import type { Column } from '../../ui/list-table.tsx';
import { Moment, Own } from '../../ui/text.tsx';

export const OUTCOME_WORDS = {
  success: 'done',
  'minor-failure': 'refused',
  'serious-failure': 'failed',
} as const;

/** Columns of every list of events. */
export const eventColumns: readonly Column<AuditEventSummary>[] = [
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
