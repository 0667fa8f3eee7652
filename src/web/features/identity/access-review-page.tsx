import { Button, Select } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import type { AccessReviewEntry } from '../../../features/identity/wire-organisations.ts';
import { UserAnswer } from '../../../features/identity/wire.ts';
import { api } from '../../app/api.ts';
import { plural, roleName } from '../../app/words.ts';
import { IconCheck } from '../../ui/icons.ts';
import { ListSkeleton } from '../../ui/list-table.tsx';
import { Empty, FailureNotice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { Pager } from '../../ui/pager.tsx';
import { SureDialog } from '../../ui/sure-dialog.tsx';
import { Ago, Own } from '../../ui/text.tsx';
import { OrganisationChoice } from './organisation-choice.tsx';
import { PeoplePlaces } from './people-places.tsx';
import { accessReview } from './rights-queries.ts';
import './rights.css';

const PAGE = 50;

/** Rights that nobody has looked at for a while: confirm them or take them away. */
export function AccessReviewPage(): ReactNode {
  const [days, setDays] = useState('90');
  const [offset, setOffset] = useState(0);
  const [organisation, setOrganisation] = useState<string>();
  const list = useQuery(accessReview({ days: Number(days), organisation, offset }));
  const acts = useActs();
  return (
    <Page
      title="Access review"
      sentence="Rights that nobody has looked at for a while, the longest first. Confirm what is still right, take away what is not."
      width="reading"
    >
      <PeoplePlaces />
      <div className="filters-row">
        <Select
          label="Last looked at"
          allowDeselect={false}
          value={days}
          data={[
            { value: '30', label: 'more than a month ago' },
            { value: '90', label: 'more than three months ago' },
            { value: '365', label: 'more than a year ago' },
            { value: '0', label: 'at any time' },
          ]}
          onChange={(value) => {
            setDays(value ?? '90');
            setOffset(0);
          }}
        />
        <OrganisationChoice
          label="In which organisation"
          placeholder="Everywhere"
          value={organisation}
          onChange={(value) => {
            setOrganisation(value);
            setOffset(0);
          }}
        />
      </div>
      {list.isError && <FailureNotice error={list.error} onRetry={() => void list.refetch()} />}
      {acts.error !== null && <FailureNotice error={acts.error} focus />}
      {list.isPending && <ListSkeleton rows={5} />}
      {list.isSuccess && list.data.total === 0 && (
        <Empty icon={<IconCheck size={24} />} title="Everything has been looked at">
          <p>Rights come up here again when their time is over.</p>
        </Empty>
      )}
      {list.isSuccess && list.data.total > 0 && (
        <Entries answer={list.data} offset={offset} onMove={setOffset} acts={acts} />
      )}
    </Page>
  );
}

function useActs() {
  const queries = useQueryClient();
  const again = async (): Promise<void> => {
    await queries.invalidateQueries({ queryKey: ['access-review'] });
    await queries.invalidateQueries({ queryKey: ['users'] });
  };
  const confirm = useMutation({
    mutationFn: ({ user, organisation }: AccessReviewEntry) =>
      api.act('POST', '/api/access-review/confirm', { userId: user.id, organisationId: organisation.id }),
    onSuccess: again,
  });
  return { confirm: confirm.mutate, busy: confirm.isPending, error: confirm.error, again };
}

interface EntriesProps {
  readonly answer: { readonly entries: readonly AccessReviewEntry[]; readonly total: number };
  readonly offset: number;
  readonly onMove: (offset: number) => void;
  readonly acts: ReturnType<typeof useActs>;
}

function Entries({ answer, offset, onMove, acts }: EntriesProps): ReactNode {
  const { entries, total } = answer;
  return (
    <>
      <p className="soft small" role="status">
        {plural(total, 'membership waits', 'memberships wait')}
      </p>
      {entries.length === 0 && <p>None is left on this page.</p>}
      <ul className="cards">
        {entries.map((entry) => (
          <Waiting
            key={`${entry.user.id} ${entry.organisation.id}`}
            entry={entry}
            busy={acts.busy}
            onConfirm={() => acts.confirm(entry)}
            onRemoved={acts.again}
          />
        ))}
      </ul>
      <Pager label="memberships" offset={offset} page={PAGE} total={total} onMove={onMove} />
    </>
  );
}

interface WaitingProps {
  readonly entry: AccessReviewEntry;
  readonly busy: boolean;
  readonly onConfirm: () => void;
  readonly onRemoved: () => Promise<void>;
}

function Waiting({ entry, busy, onConfirm, onRemoved }: WaitingProps): ReactNode {
  const { user, organisation, roles } = entry;
  const [removing, setRemoving] = useState(false);
  return (
    <li>
      <div>
        <strong>
          <Own>{user.name}</Own>
        </strong>{' '}
        <span className="soft">{user.email}</span>
        <div>
          {roles.map((role) => roleName(role.id, { [role.id]: role.name ?? '' })).join(', ') || 'no role'} in{' '}
          <Own>{organisation.name}</Own>
        </div>
        <div className="soft small">
          {entry.reviewedAt === undefined ? (
            'never looked at'
          ) : (
            <>
              looked at <Ago iso={entry.reviewedAt} />
            </>
          )}
          ;{' '}
          {entry.lastSignInAt === undefined ? (
            'never signed in'
          ) : (
            <>
              last signed in <Ago iso={entry.lastSignInAt} />
            </>
          )}
        </div>
        <Link to="/people/rights" search={{ person: user.id }} className="small">
          What does that give?
        </Link>
      </div>
      {entry.self ? (
        <span className="soft small">Yours: somebody else looks at these.</span>
      ) : (
        <div className="row">
          <Button
            size="xs"
            variant="default"
            color="red"
            disabled={busy}
            aria-label={`Take away: ${user.name} in ${organisation.name}`}
            onClick={() => setRemoving(true)}
          >
            Take away
          </Button>
          <Button
            size="xs"
            disabled={busy}
            aria-label={`Still right: ${user.name} in ${organisation.name}`}
            onClick={onConfirm}
          >
            Still right
          </Button>
        </div>
      )}
      {removing && <TakeAway entry={entry} onClose={() => setRemoving(false)} onRemoved={onRemoved} />}
    </li>
  );
}

interface TakeAwayProps {
  readonly entry: AccessReviewEntry;
  readonly onClose: () => void;
  readonly onRemoved: () => Promise<void>;
}

function TakeAway({ entry, onClose, onRemoved }: TakeAwayProps): ReactNode {
  const { user, organisation } = entry;
  const remove = useMutation({
    mutationFn: () => takeAway(entry),
    onSuccess: async () => {
      onClose();
      await onRemoved();
    },
  });
  return (
    <SureDialog
      title="Take the rights away"
      confirm="Take away"
      busy={remove.isPending}
      error={remove.error}
      onClose={onClose}
      onSure={() => remove.mutate()}
    >
      <p>
        <Own strong>{user.name}</Own> leaves <Own strong>{organisation.name}</Own> and may do nothing there from the
        next request on. Who belongs to no other organisation is disabled: the account and everything in the log stay,
        and an administrator can enable it again.
      </p>
    </SureDialog>
  );
}

/** Out of the organisation; who belongs to no other is disabled instead. */
async function takeAway({ user, organisation }: AccessReviewEntry): Promise<void> {
  try {
    await api.send('DELETE', `/api/users/${user.id}/memberships/${organisation.id}`, UserAnswer);
  } catch (error) {
    if ((error as { code?: string }).code !== 'last-membership') throw error;
    await api.send('POST', `/api/users/${user.id}/disable`, UserAnswer);
  }
}
