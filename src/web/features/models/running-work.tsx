import { Button, Progress } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { z } from 'zod';
import { type ActivationView, type ModelsReply, rollBackReply } from '../../../features/models/wire.ts';
import { api } from '../../app/api.ts';
import { useMay } from '../../app/session.tsx';
import { plural } from '../../app/words.ts';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { isGoing } from './model-queries.ts';

/** Going over all records because another model took over: how far it is, and what it did last time. */
export function RunningWork({ data }: { readonly data: ModelsReply }): ReactNode {
  const [last] = data.activations;
  if (last === undefined) return null;
  if (isGoing(last.state)) return <Going work={last} />;
  return (
    <Notice tone={last.state === 'failed' ? 'amber' : 'info'} title={titleOf(last)}>
      <p>{summaryOf(last)}</p>
      {data.goingOver && <GoOn oldKeys={data.oldKeys !== undefined} />}
    </Notice>
  );
}

const PHASES = {
  settling: 'telling every process',
  'taking-back': 'taking links back',
  'going-over': 'going over the records',
  clearing: 'removing keys that nothing has any more',
} as const;

function Going({ work }: { readonly work: ActivationView }): ReactNode {
  const queries = useQueryClient();
  const may = useMay();
  const cancel = useMutation({
    mutationFn: () => api.send('POST', `/api/models/re-link/${work.id}/cancel`, z.object({})),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['models'] }),
  });
  const share = work.total === 0 ? 0 : Math.min(100, (100 * work.visited) / work.total);
  return (
    <section className="running-work" aria-label="Going over the records">
      <p>
        {work.kind === 're-key' ? (
          <strong>
            {work.phase === 'clearing'
              ? 'Every record has new search keys.'
              : 'After the upgrade every record gets new search keys; until then links may be missed.'}
          </strong>
        ) : (
          <>
            <strong>{work.to}</strong> decides.
          </>
        )}{' '}
        {work.phase === undefined ? 'Waiting' : PHASES[work.phase]}: {work.visited.toLocaleString()} of{' '}
        {work.total.toLocaleString()} records. {countsOf(work)} This page may be left.
      </p>
      <Progress value={share} aria-label={`${Math.round(share)} % of the records`} />
      {may('settings.manage') && (
        <div className="row">
          <Button variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>
            Stop going over
          </Button>
        </div>
      )}
      {cancel.isError && <FailureNotice error={cancel.error} focus />}
    </section>
  );
}

function GoOn({ oldKeys }: { readonly oldKeys: boolean }): ReactNode {
  const queries = useQueryClient();
  const may = useMay();
  const again = useMutation({
    mutationFn: () => api.send('POST', '/api/models/re-link', rollBackReply, {}),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['models'] }),
  });
  if (!may('settings.manage')) return null;
  return (
    <>
      <p>
        {oldKeys
          ? 'Records still have search keys of the version before the upgrade. Until all were gone over, links may be missed.'
          : 'Not every record was gone over. Until then, records are looked for by the former model’s keys as well.'}
      </p>
      <div className="row">
        <Button variant="default" loading={again.isPending} onClick={() => again.mutate()}>
          Go over the records again
        </Button>
      </div>
      {again.isError && <FailureNotice error={again.error} focus />}
    </>
  );
}

function titleOf({ kind, from, to, by }: ActivationView): string {
  if (kind === 're-key') return `Search keys made anew by ${by}`;
  if (kind === 're-link') return `${to}: records gone over again by ${by}`;
  return kind === 'promote' ? `${to} took over from ${from}, by ${by}` : `Rolled back from ${from} to ${to}, by ${by}`;
}

function summaryOf(work: ActivationView): string {
  const words = {
    done: '',
    failed: 'It could not be ended. ',
    cancelled: 'It was stopped. ',
    waiting: '',
    running: '',
  };
  return `${words[work.state]}${countsOf(work)}${work.undone ? ' Taken back since.' : ''}`;
}

function countsOf(work: ActivationView): string {
  if (work.kind === 'roll-back') {
    return `${plural(work.takenBack, 'link', 'links')} taken back, ${work.kept.toLocaleString()} kept because somebody has decided about them since.`;
  }
  return `${plural(work.joined, 'record', 'records')} joined, ${work.parted.toLocaleString()} parted, ${plural(work.reviews, 'question', 'questions')} for stewards.`;
}
