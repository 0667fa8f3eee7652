import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { api } from '../../app/api.ts';
import { useDraft } from '../../app/drafts.ts';
import { Tag } from '../../ui/bits.tsx';
import { ListSkeleton } from '../../ui/list-table.tsx';
import { FailureNotice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import { Pager } from '../../ui/pager.tsx';
import { Moment, Own } from '../../ui/text.tsx';
import { PersonChoice } from './person-choice.tsx';
import { exceptionList, forgetPolicy, SECTION_PAGE } from './policy-queries.ts';

const STATES = { living: 'in force', over: 'over', ended: 'ended early' } as const;

/** Who may do without, why, who allowed it, and until when. */
export function ExceptionsSection(): ReactNode {
  const queries = useQueryClient();
  const [offset, setOffset] = useState(0);
  const list = useQuery(exceptionList(offset));
  const end = useMutation({
    mutationFn: (id: string) => api.act('DELETE', `/api/policy/exceptions/${id}`),
    onSuccess: () => forgetPolicy(queries),
  });
  return (
    <Section
      title="Exceptions"
      note="For the weekend between two telephones: without a second factor for at most ninety days. Nobody approves their own."
    >
      {end.isError && <FailureNotice error={end.error} focus />}
      {list.isPending && <ListSkeleton rows={2} />}
      {list.isError && <FailureNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.data?.total === 0 && <p className="soft">There is none, and there was none.</p>}
      <ul className="sessions">
        {list.data?.exceptions.map((one) => (
          <li key={one.id}>
            <div>
              <strong>
                <Own>{one.name}</Own>
              </strong>{' '}
              <Tag tone={one.state === 'living' ? 'amber' : 'quiet'}>{STATES[one.state]}</Tag>
              <div>
                <Own>{one.reason}</Own>
              </div>
              <div className="soft small">
                until <Moment iso={one.endsAt} />, approved by <Own>{one.approvedBy ?? 'the operator'}</Own>,{' '}
                <Moment iso={one.grantedAt} />
              </div>
            </div>
            {one.state === 'living' && (
              <Button
                variant="default"
                size="xs"
                aria-label={`End it now: ${one.name}`}
                onClick={() => end.mutate(one.id)}
              >
                End it now
              </Button>
            )}
          </li>
        ))}
      </ul>
      <Pager label="exceptions" offset={offset} page={SECTION_PAGE} total={list.data?.total ?? 0} onMove={setOffset} />
      <Grant />
    </Section>
  );
}

function Grant(): ReactNode {
  const queries = useQueryClient();
  const [userId, setUserId] = useState<string>();
  const [reason, setReason, clear] = useDraft('policy-exception');
  const [until, setUntil] = useState('');
  const grant = useMutation({
    mutationFn: () =>
      api.act('POST', '/api/policy/exceptions', { userId, reason: reason.trim(), endsAt: endOf(until) }),
    onSuccess: async () => {
      clear();
      setUserId(undefined);
      await forgetPolicy(queries);
    },
  });
  const fits = userId !== undefined && reason.trim().length >= 10 && until !== '';
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (fits) grant.mutate();
  };
  return (
    <form onSubmit={submit} noValidate>
      {grant.isError && <FailureNotice error={grant.error} focus />}
      <div className="policy-rule">
        <PersonChoice label="Person" value={userId} onChange={setUserId} />
        <TextInput
          label="Reason"
          description="At least ten letters"
          maxLength={300}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <TextInput
          type="date"
          label="Last day"
          value={until}
          onChange={(event) => setUntil(event.currentTarget.value)}
        />
        <Button type="submit" variant="default" disabled={!fits} loading={grant.isPending}>
          Allow it
        </Button>
      </div>
    </form>
  );
}

/** The end of that day where the administrator is. */
function endOf(day: string): string {
  return new Date(`${day}T23:59:59.000`).toISOString();
}
