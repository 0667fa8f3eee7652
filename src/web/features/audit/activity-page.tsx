import { Button, Select, Skeleton, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { ActivityReply } from '../../../features/reports/wire.ts';
import { plural } from '../../app/words.ts';
import { Bars } from '../../ui/bars.tsx';
import { IconClipboardList } from '../../ui/icons.ts';
import { Empty, FailureNotice } from '../../ui/notice.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { Picture } from '../../ui/picture.tsx';
import { Scroller } from '../../ui/scroller.tsx';
import { Own } from '../../ui/text.tsx';
import { AuditTabs } from './audit-tabs.tsx';
import { HourMap } from './hour-map.tsx';
import { activity, dayBefore } from './report-queries.ts';

const KINDS = [
  { value: 'user', label: 'people' },
  { value: 'node', label: 'systems' },
  { value: 'operator', label: 'the command line' },
  { value: 'system', label: 'Careseal itself' },
  { value: 'anonymous', label: 'nobody signed in' },
] as const;

/** How busy it was: by hour, by kind of act, by person. */
export function ActivityPage(): ReactNode {
  const search = useSearch({ from: '/frame/audit/activity' });
  const navigate = useNavigate();
  const days = { from: search.from ?? dayBefore(13), to: search.to ?? dayBefore(0) };
  const reply = useQuery({ ...activity(days, search.kind, search.actor), placeholderData: (before) => before });
  const set = (part: Partial<typeof search>): void =>
    void navigate({ to: '/audit/activity', search: { ...search, ...part }, replace: true, resetScroll: false });
  return (
    <Page
      title="Activity"
      sentence="When something was done, what it was and by whom. Taken from the log, counted by the hour."
    >
      <AuditTabs />
      <div className="filters" role="search" aria-label="Choose days">
        <TextInput
          type="date"
          label="From"
          size="xs"
          value={days.from}
          onChange={(event) => set({ from: event.currentTarget.value || undefined })}
        />
        <TextInput
          type="date"
          label="To"
          size="xs"
          value={days.to}
          onChange={(event) => set({ to: event.currentTarget.value || undefined })}
        />
        <Select
          label="By"
          size="xs"
          placeholder="everybody"
          clearable
          clearButtonProps={{ 'aria-label': 'Show everybody' }}
          data={[...KINDS]}
          value={search.kind ?? null}
          onChange={(kind) => set({ kind: KINDS.find(({ value }) => value === kind)?.value })}
        />
        {search.actor !== undefined && (
          <Button variant="subtle" size="xs" onClick={() => set({ actor: undefined })}>
            Show everybody
          </Button>
        )}
        <Button variant="default" size="xs" onClick={() => set({ from: dayBefore(13), to: dayBefore(0) })}>
          Last two weeks
        </Button>
      </div>
      {reply.isError && <FailureNotice error={reply.error} onRetry={() => void reply.refetch()} />}
      {reply.isPending && <Skeleton height={320} radius="md" />}
      {reply.data && <Drawn reply={reply.data} days={days} onActor={(actor) => set({ actor })} />}
    </Page>
  );
}

interface DrawnProps {
  readonly reply: ActivityReply;
  readonly days: { readonly from: string; readonly to: string };
  readonly onActor: (id: string) => void;
}

function Drawn({ reply, days, onActor }: DrawnProps): ReactNode {
  if (reply.events === 0) {
    return (
      <Empty icon={<IconClipboardList size={24} />} title="Nothing happened in these days">
        <p>Choose other days, or show everybody.</p>
      </Empty>
    );
  }
  return (
    <>
      <p className="activity-sum" role="status">
        <strong>{plural(reply.events, 'act', 'acts')}</strong>,{' '}
        {plural(reply.failures, 'refused or failed', 'refused or failed')}
        {reply.behind > 0 && (
          <span className="soft"> · {plural(reply.behind, 'newer one', 'newer ones')} not counted yet</span>
        )}
      </p>
      <Section title="By hour" id="by-hour">
        <HourMap hours={reply.hours} days={days} />
      </Section>
      <div className="activity-grid">
        <Section title="By kind" id="by-kind">
          <Picture
            title="What was done"
            picture={
              <Bars items={reply.kinds.slice(0, 12).map(({ title, events }) => ({ label: title, value: events }))} />
            }
            table={
              <CountTable
                head="What"
                rows={reply.kinds.map((one) => ({ key: one.event, name: one.title, ...one }))}
                days={days}
              />
            }
          />
        </Section>
        <Section title="By person or system" id="by-actor" note="The busiest fifteen.">
          <CountTable
            head="Who"
            rows={reply.actors.map((one) => ({ key: one.actor.id, name: one.actor.name, ...one }))}
            onActor={onActor}
          />
        </Section>
      </div>
    </>
  );
}

interface CountTableProps {
  readonly head: string;
  readonly rows: readonly {
    readonly key: string;
    readonly name: string;
    readonly events: number;
    readonly failures: number;
  }[];
  /** Links to the acts of a kind in these days. */
  readonly days?: { readonly from: string; readonly to: string };
  /** Shows one actor only. */
  readonly onActor?: (id: string) => void;
}

function CountTable({ head, rows, days, onActor }: CountTableProps): ReactNode {
  return (
    <Scroller label={`Counted: ${head}`} className="table-scroll">
      <table className="plain-table">
        <thead>
          <tr>
            <th scope="col">{head}</th>
            <th scope="col" data-align="end">
              Acts
            </th>
            <th scope="col" data-align="end">
              Refused or failed
            </th>
            <th scope="col">
              <span className="visually-hidden">Choose</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key}>
              <th scope="row">
                <Own>{row.name}</Own>
              </th>
              <td data-align="end">{row.events.toLocaleString()}</td>
              <td data-align="end">{row.failures.toLocaleString()}</td>
              <td data-align="end">
                {days !== undefined && (
                  <Link to="/audit" search={{ event: row.key, ...days }} className="table-link">
                    show
                  </Link>
                )}
                {onActor !== undefined && row.key !== '' && (
                  <Button variant="subtle" size="compact-xs" onClick={() => onActor(row.key)}>
                    only this one
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}
