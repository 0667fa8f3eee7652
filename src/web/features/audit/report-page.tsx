import { Button, Select, TextInput } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useCallback, useMemo, useState } from 'react';
import { IconClipboardList, IconPrinter } from '../../ui/icons.ts';
import { ListSkeleton, ListTable } from '../../ui/list-table.tsx';
import { Empty, FailureNotice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { eventColumns } from './audit-columns.tsx';
import { auditNames } from './audit-queries.ts';
import { AuditProofLine } from './audit-status.tsx';
import { AuditTabs } from './audit-tabs.tsx';
import { actors, dayBefore, organisations, type ReportForm, report, reportBody } from './report-queries.ts';
import { SaveAnswer } from './save-answer.tsx';

const CLIENT_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The User Action Report: who did what in these days. What is asked stands in no address, since it may name people. */
export function ReportPage(): ReactNode {
  const [form, setForm] = useState<ReportForm>(() => ({ from: dayBefore(13), to: dayBefore(0) }));
  const asked = useMemo(() => (CLIENT_ID.test(form.client ?? '') ? form : { ...form, client: undefined }), [form]);
  const list = useInfiniteQuery({ ...report(asked), placeholderData: (before) => before });
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.rows) ?? [], [list.data]);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  return (
    <Page
      title="User actions"
      sentence="Who did what in these days: on the page, as a file, on paper. The files end with the signed head of the log."
      action={
        <>
          <SaveAnswer path="/api/audit/report/file" fileName="careseal-user-actions" body={() => reportBody(asked)} />
          <Button variant="default" leftSection={<IconPrinter size={17} aria-hidden />} onClick={() => window.print()}>
            Print
          </Button>
        </>
      }
    >
      <AuditTabs />
      <AuditProofLine />
      <ReportBar form={form} onChange={setForm} />
      {list.isError && <FailureNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <ListSkeleton rows={12} />}
      {list.isSuccess && rows.length === 0 && (
        <Empty icon={<IconClipboardList size={24} />} title="Nobody did anything like this in these days">
          <p>Choose other days, another action or another person.</p>
        </Empty>
      )}
      {rows.length > 0 && (
        <ListTable
          label="User actions"
          columns={eventColumns}
          rows={rows}
          rowKey={(event) => event.id}
          renderOpen={(event, content) => (
            <Link to="/audit" search={{ open: event.id }} className="row-link">
              {content}
            </Link>
          )}
          onEnd={onEnd}
          loadingMore={isFetchingNextPage}
        />
      )}
    </Page>
  );
}

interface ReportBarProps {
  readonly form: ReportForm;
  readonly onChange: (form: ReportForm) => void;
}

function ReportBar({ form, onChange }: ReportBarProps): ReactNode {
  const names = useQuery(auditNames);
  const people = useQuery(actors);
  const places = useQuery(organisations);
  const set = (part: Partial<ReportForm>): void => onChange({ ...form, ...part });
  const wrongId = form.client !== undefined && form.client !== '' && !CLIENT_ID.test(form.client);
  return (
    <div className="filters no-print" role="search" aria-label="What the report is about">
      <ReportDays form={form} set={set} />
      <Select
        label="Organisation"
        size="xs"
        placeholder="all"
        searchable
        clearable
        clearButtonProps={{ 'aria-label': 'All organisations' }}
        data={(places.data?.organisations ?? []).map(({ id, name }) => ({ value: id, label: name || '(no name)' }))}
        value={form.organisation ?? null}
        onChange={(organisation) => set({ organisation: organisation ?? undefined })}
      />
      <Select
        label="Action"
        size="xs"
        placeholder="everything"
        searchable
        clearable
        clearButtonProps={{ 'aria-label': 'Every action' }}
        nothingFoundMessage="No such action"
        data={(names.data?.names ?? []).map(({ event, title }) => ({ value: event, label: title }))}
        value={form.event ?? null}
        onChange={(event) => set({ event: event ?? undefined })}
      />
      <Select
        label="User or system"
        size="xs"
        placeholder="everybody"
        searchable
        clearable
        clearButtonProps={{ 'aria-label': 'Everybody' }}
        nothingFoundMessage="Nobody of this name has done anything"
        data={(people.data?.actors ?? []).map(({ id, name }) => ({ value: id, label: name }))}
        value={form.actor ?? null}
        onChange={(actor) => set({ actor: actor ?? undefined })}
      />
      <TextInput
        label="Affected client (id)"
        size="xs"
        placeholder="copy it from the client’s page"
        value={form.client ?? ''}
        error={wrongId ? 'An id has 36 characters' : undefined}
        onChange={(event) => set({ client: event.currentTarget.value.trim() })}
      />
    </div>
  );
}

interface ReportDaysProps {
  readonly form: ReportForm;
  readonly set: (part: Partial<ReportForm>) => void;
}

function ReportDays({ form, set }: ReportDaysProps): ReactNode {
  return (
    <>
      <TextInput
        type="date"
        label="From"
        size="xs"
        value={form.from}
        onChange={(event) => set({ from: event.currentTarget.value || dayBefore(13) })}
      />
      <TextInput
        type="date"
        label="To"
        size="xs"
        value={form.to}
        onChange={(event) => set({ to: event.currentTarget.value || dayBefore(0) })}
      />
      <Button variant="default" size="xs" onClick={() => set({ from: dayBefore(13), to: dayBefore(0) })}>
        Last two weeks
      </Button>
    </>
  );
}
