import { Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import type { ReasonEntry } from '../../../features/identity/wire-organisations.ts';
import { roleName } from '../../app/words.ts';
import { Tag } from '../../ui/bits.tsx';
import { IconArrowLeft, IconBan, IconCheck } from '../../ui/icons.ts';
import { ListSkeleton } from '../../ui/list-table.tsx';
import { FailureNotice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { Own } from '../../ui/text.tsx';
import { permissionWords } from './permission-words.ts';
import { rightsOf } from './rights-queries.ts';
import './rights.css';

/** Why somebody can, or cannot, do each thing in an organisation. */
export function RightsPage(): ReactNode {
  const { person = '' } = useSearch({ from: '/frame/people/rights' });
  const [place, setPlace] = useState<string>();
  const rights = useQuery(rightsOf(person, place));
  return (
    <Page
      title="Why can somebody do this?"
      heading={rights.data && <Own>{rights.data.user.name}</Own>}
      sentence="What this person may do in an organisation, and for each thing the reason."
      above={
        <Link to="/people" search={{ person }} className="back">
          <IconArrowLeft size={16} aria-hidden /> The account
        </Link>
      }
      width="reading"
    >
      {rights.isError && <FailureNotice error={rights.error} onRetry={() => void rights.refetch()} />}
      {rights.isPending && <ListSkeleton rows={8} />}
      {rights.isSuccess && (
        <>
          <div className="filters-row">
            <Select
              label="In which organisation"
              allowDeselect={false}
              value={rights.data.organisation.id}
              data={rights.data.organisations.map((one) => ({ value: one.id, label: one.name }))}
              onChange={(value) => setPlace(value ?? undefined)}
            />
          </div>
          <div className="why" role="table" aria-label="Rights with their reasons">
            {rights.data.rights.map((right) => (
              <div key={right.permission} role="row" style={{ display: 'contents' }}>
                <div role="rowheader">{permissionWords(right.permission)}</div>
                <div role="cell">
                  {right.allowed ? (
                    <Tag tone="accent" icon={<IconCheck size={14} aria-hidden />}>
                      can
                    </Tag>
                  ) : (
                    <Tag tone="quiet" icon={<IconBan size={14} aria-hidden />}>
                      cannot
                    </Tag>
                  )}
                </div>
                <div role="cell" className="why-reasons">
                  <ul>
                    {right.reasons.map((reason, at) => (
                      <li key={at}>{sentence(reason)}</li>
                    ))}
                  </ul>
                </div>
              </div>
            ))}
          </div>
        </>
      )}
    </Page>
  );
}

const BARRIERS = {
  'organisation-retired': 'but the organisation is retired',
  'central-only': 'but only people of the central administration have this',
  ceiling: 'but the organisation’s ceiling does not let it through',
} as const;

function sentence(reason: ReasonEntry): ReactNode {
  const role =
    reason.role === undefined
      ? 'a role'
      : `the role ${roleName(reason.role.id, { [reason.role.id]: reason.role.name ?? '' })}`;
  const where = reason.organisation === undefined ? 'another organisation' : <Own>{reason.organisation.name}</Own>;
  switch (reason.kind) {
    case 'account':
      return `The account is ${reason.state === 'active' ? 'active' : `not active (${reason.state})`}.`;
    case 'not-member':
      return 'Does not belong to this organisation.';
    case 'no-role':
      return <>No role in {where} gives it.</>;
    case 'granted':
      return (
        <>
          By {role} in {where}
          {reason.central === true ? ', which reaches every organisation' : ''}.
        </>
      );
    case 'blocked':
      return (
        <>
          By {role} in {where}, {BARRIERS[reason.by ?? 'ceiling']}.
        </>
      );
  }
}
