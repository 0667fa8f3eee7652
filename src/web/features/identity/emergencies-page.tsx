import { Button, Select, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import type { EmergencyEntry } from '../../../features/identity/wire-organisations.ts';
import { api } from '../../app/api.ts';
import { useMay } from '../../app/session.tsx';
import { plural } from '../../app/words.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Tag } from '../../ui/bits.tsx';
import { IconCheck } from '../../ui/icons.ts';
import { ListSkeleton } from '../../ui/list-table.tsx';
import { Empty, FailureNotice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { Pager } from '../../ui/pager.tsx';
import { Moment, Own } from '../../ui/text.tsx';
import { PeoplePlaces } from './people-places.tsx';
import { EMERGENCIES_PAGE, emergencyList } from './rights-queries.ts';
import './rights.css';

/** Emergency accesses: somebody other than who did it says afterwards whether it was right. */
export function EmergenciesPage(): ReactNode {
  const [state, setState] = useState<'waiting' | 'reviewed'>('waiting');
  const [open, setOpen] = useState<EmergencyEntry>();
  const [offset, setOffset] = useState(0);
  const list = useQuery(emergencyList(state, offset));
  return (
    <Page
      title="Emergencies"
      sentence="Who broke the glass to reach clients of other organisations, when and why. Every one is looked at by somebody else."
      width="reading"
    >
      <PeoplePlaces />
      <div className="filters-row">
        <Select
          label="Show"
          allowDeselect={false}
          value={state}
          data={[
            { value: 'waiting', label: 'waiting for a review' },
            { value: 'reviewed', label: 'reviewed' },
          ]}
          onChange={(value) => {
            setState(value === 'reviewed' ? 'reviewed' : 'waiting');
            setOffset(0);
          }}
        />
        {list.isSuccess && list.data.total > 0 && (
          <p className="soft small" role="status">
            {plural(list.data.total, 'emergency', 'emergencies')}
          </p>
        )}
      </div>
      {list.isError && <FailureNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <ListSkeleton rows={3} />}
      {list.isSuccess && list.data.total === 0 && (
        <Empty icon={<IconCheck size={24} />} title={state === 'waiting' ? 'Nothing waits' : 'None yet'}>
          <p>
            Who may look clients up can break the glass on the page of clients, with a reason and for an hour at most.
          </p>
        </Empty>
      )}
      <ul className="cards">
        {list.data?.emergencies.map((one) => (
          <Emergency key={one.id} one={one} onReview={() => setOpen(one)} />
        ))}
      </ul>
      <Pager
        label="emergencies"
        offset={offset}
        page={EMERGENCIES_PAGE}
        total={list.data?.total ?? 0}
        onMove={setOffset}
      />
      {open && <ReviewDialog one={open} onClose={() => setOpen(undefined)} />}
    </Page>
  );
}

function Emergency({ one, onReview }: { readonly one: EmergencyEntry; readonly onReview: () => void }): ReactNode {
  const may = useMay();
  const { review } = one;
  return (
    <li>
      <div>
        <strong>
          <Own>{one.user.name}</Own>
        </strong>{' '}
        <span className="soft">
          <Own>{one.organisation.name}</Own>
        </span>{' '}
        {one.open && <Tag tone="red">going on</Tag>}
        <p>
          <Own>{one.reason}</Own>
        </p>
        <p className="soft small">
          <Moment iso={one.startedAt} /> to <Moment iso={one.endsAt} />
        </p>
        {review && (
          <p className="small">
            <Tag tone={review.verdict === 'justified' ? 'accent' : 'red'}>
              {review.verdict === 'justified' ? 'justified' : 'not justified'}
            </Tag>{' '}
            <Own>{review.by}</Own>, <Moment iso={review.at} />: <Own>{review.note}</Own>
          </p>
        )}
        {may('audit.read') && (
          <Link className="small" to="/audit" search={{ actor: one.user.id, from: one.startedAt, to: one.endsAt }}>
            What they looked at
          </Link>
        )}
      </div>
      {review === undefined &&
        (one.self ? (
          <span className="soft small">Yours: somebody else looks at it.</span>
        ) : (
          <Button size="xs" aria-label={`Review: ${one.user.name}`} onClick={onReview}>
            Review
          </Button>
        ))}
    </li>
  );
}

function ReviewDialog({ one, onClose }: { readonly one: EmergencyEntry; readonly onClose: () => void }): ReactNode {
  const queries = useQueryClient();
  const [note, setNote] = useState('');
  const [tried, setTried] = useState(false);
  const judge = useMutation({
    mutationFn: (verdict: 'justified' | 'not-justified') =>
      api.act('POST', `/api/emergencies/${one.id}/review`, { verdict, note }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['emergencies'] });
      await queries.invalidateQueries({ queryKey: ['home'] });
      onClose();
    },
  });
  const say = (verdict: 'justified' | 'not-justified') => (): void => {
    setTried(true);
    if (note.trim().length >= 10) judge.mutate(verdict);
  };
  return (
    <Dialog opened onClose={onClose} title="Was this right?">
      <div className="stack">
        <p>
          <Own>{one.reason}</Own>
        </p>
        {one.open && <p className="soft">It is still going on. Your review ends it.</p>}
        <Textarea
          data-autofocus
          label="What you found"
          description="At least a sentence; it stays with the record."
          minRows={3}
          value={note}
          maxLength={500}
          error={tried && note.trim().length < 10 ? 'Say it in a sentence.' : undefined}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        {judge.isError && <FailureNotice error={judge.error} focus />}
        <div className="dialog-actions">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button color="red" variant="default" loading={judge.isPending} onClick={say('not-justified')}>
            Not justified
          </Button>
          <Button loading={judge.isPending} onClick={say('justified')}>
            Justified
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

/** Asks for reason and time before the glass is broken. */
export function EmergencyDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const queries = useQueryClient();
  const [reason, setReason] = useState('');
  const [minutes, setMinutes] = useState('30');
  const [tried, setTried] = useState(false);
  const start = useMutation({
    mutationFn: () => api.act('POST', '/api/emergency', { reason, minutes: Number(minutes) }),
    onSuccess: async () => {
      await queries.invalidateQueries();
      onClose();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (reason.trim().length >= 10) start.mutate();
  };
  return (
    <Dialog opened onClose={onClose} title="Break the glass">
      <form className="stack" onSubmit={submit} noValidate>
        <p>
          For an emergency in which you need a client of another organisation. You can look up everybody for a short
          time. The administrators see it at once, everything you open is in the log, and somebody reviews it
          afterwards.
        </p>
        <Textarea
          data-autofocus
          label="Why"
          minRows={3}
          value={reason}
          maxLength={500}
          error={tried && reason.trim().length < 10 ? 'Say why in a sentence.' : undefined}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <Select
          label="For how long"
          allowDeselect={false}
          value={minutes}
          data={['5', '15', '30', '60'].map((value) => ({ value, label: `${value} minutes` }))}
          onChange={(value) => setMinutes(value ?? '30')}
        />
        {start.isError && <FailureNotice error={start.error} focus />}
        <div className="dialog-actions">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" color="red" loading={start.isPending}>
            Break the glass
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
