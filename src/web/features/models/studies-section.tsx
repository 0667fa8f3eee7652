import { Button, Progress } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { studyReply, type StudyView } from '../../../features/models/wire.ts';
import { api } from '../../app/api.ts';
import { useMay } from '../../app/session.tsx';
import { Tag } from '../../ui/bits.tsx';
import { FailureNotice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import { Ago } from '../../ui/text.tsx';
import { isGoing } from './model-queries.ts';

export const KINDS = {
  training: 'Training',
  simulation: 'Simulation',
  clusters: 'Look through groups',
  evaluation: 'Judged by a file',
} as const;
const STATES = {
  waiting: 'waiting',
  running: 'going on',
  done: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
} as const;

/** What goes on and what was found lately. */
export function StudiesSection({ studies }: { readonly studies: readonly StudyView[] }): ReactNode {
  return (
    <Section title="Studies" note="They read records and write a report, nothing else. Reports are kept for 90 days.">
      {studies.length === 0 && (
        <p>None yet. Training and simulating begin one; it runs on the server and this page may be left.</p>
      )}
      <ul className="study-list">
        {studies.map((study) => (
          <li key={study.id}>
            <Study study={study} />
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Study({ study }: { readonly study: StudyView }): ReactNode {
  const queries = useQueryClient();
  const may = useMay();
  const cancel = useMutation({
    mutationFn: () => api.send('POST', `/api/models/studies/${study.id}/cancel`, studyReply),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['models'] }),
  });
  const name = study.model === undefined ? KINDS[study.kind] : `${KINDS[study.kind]}: ${study.model}`;
  const share = study.total === 0 ? 0 : Math.min(100, (100 * study.done) / study.total);
  return (
    <div className="study">
      {study.state === 'done' ? (
        <Link to="/reviews/models/studies/$id" params={{ id: study.id }} className="link">
          {name}
        </Link>
      ) : (
        <span>{name}</span>
      )}
      <Tag tone={study.state === 'failed' ? 'amber' : 'plain'}>{STATES[study.state]}</Tag>
      <span className="soft small">
        {study.by}, <Ago iso={study.createdAt} />
      </span>
      {study.error !== undefined && <span className="small">{study.error}</span>}
      {isGoing(study.state) && (
        <>
          <span className="small">
            {study.step ?? 'begins soon'}{' '}
            {study.total > 1 && `${study.done.toLocaleString()} of ${study.total.toLocaleString()}`}
          </span>
          <Progress value={share} aria-label={`${name}, ${Math.round(share)} %`} />
          {may('review.decide') && (
            <Button variant="default" size="xs" loading={cancel.isPending} onClick={() => cancel.mutate()}>
              Cancel
            </Button>
          )}
          {cancel.isError && <FailureNotice error={cancel.error} focus />}
        </>
      )}
    </div>
  );
}
