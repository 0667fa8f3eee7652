import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { type ModelsReply, type ModelSummary, rollBackReply, studyReply } from '../../../features/models/wire.ts';
import { api } from '../../app/api.ts';
import { PageWait } from '../../app/page-wait.tsx';
import { useMay } from '../../app/session.tsx';
import { Tag } from '../../ui/bits.tsx';
import { IconArrowLeft } from '../../ui/icons.ts';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { Ago } from '../../ui/text.tsx';
import { modelsQuery } from './model-queries.ts';
import { RunningWork } from './running-work.tsx';
import { ShadowSection } from './shadow-section.tsx';
import { StudiesSection } from './studies-section.tsx';
import { TrainForm } from './train-form.tsx';
import { UploadModel } from './upload-model.tsx';
import './models.css';

/** Which model decides who is one person, which others there are, and how to get a better one. */
export function ModelsPage(): ReactNode {
  const models = useQuery(modelsQuery);
  if (models.isPending) return <PageWait />;
  return (
    <Page
      title="Matching models"
      sentence="A model says how much each likeness and each difference counts. Try another one on your own records before it decides; going back takes one step."
      above={
        <Link to="/reviews" className="back">
          <IconArrowLeft size={16} aria-hidden /> Reviews
        </Link>
      }
    >
      {models.isError && <FailureNotice error={models.error} onRetry={() => void models.refetch()} />}
      {models.data && <Content data={models.data} />}
    </Page>
  );
}

function Content({ data }: { readonly data: ModelsReply }): ReactNode {
  const may = useMay();
  const works = may('review.decide');
  return (
    <div className="models-page">
      <RunningWork data={data} />
      <Section title="Versions" aside={<RollBack data={data} />}>
        {data.models.length === 1 && (
          <Notice tone="info" title="Only the shipped model, and that is fine">
            <p>
              It works for any population without training. With some thousand records, train one on your own: it learns
              how your clinics write names and dates, without anybody labelling anything.
            </p>
          </Notice>
        )}
        <ul className="model-list">
          {data.models.map((model) => (
            <li key={model.id}>
              <Version model={model} />
            </li>
          ))}
        </ul>
      </Section>
      {works && <TrainForm data={data} />}
      {works && <UploadModel />}
      {works && may('client.load') && <JudgeByFile />}
      <StudiesSection studies={data.studies} />
      {works && <CheckGroups />}
      <ShadowSection models={data.models} />
    </div>
  );
}

const ORIGINS = {
  shipped: 'shipped with Careseal',
  trained: 'trained on your records',
  uploaded: 'uploaded',
  adjusted: 'other thresholds',
  'opencr-rules': 'from OpenCR’s rules',
} as const;

function Version({ model }: { readonly model: ModelSummary }): ReactNode {
  return (
    <Link to="/reviews/models/$id" params={{ id: model.id }} className="model-card">
      <strong>{model.version}</strong>
      {model.state === 'active' && <Tag tone="accent">decides now</Tag>}
      {model.state === 'shadow' && <Tag tone="plain">tried beside it</Tag>}
      {model.proposedBy && (
        <Tag tone="amber">{`proposed by ${model.proposedBy.isMe ? 'you' : model.proposedBy.name}`}</Tag>
      )}
      <span className="soft small">
        {ORIGINS[model.origin]}, <Ago iso={model.createdAt} />
        {model.simulatedAt === undefined ? '' : ', simulated'}
      </span>
      {model.notes !== '' && <span className="small">{model.notes}</span>}
    </Link>
  );
}

function RollBack({ data }: { readonly data: ModelsReply }): ReactNode {
  const queries = useQueryClient();
  const may = useMay();
  const [asked, setAsked] = useState(false);
  const back = useMutation({
    mutationFn: () => api.send('POST', '/api/models/roll-back', rollBackReply, {}),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['models'] }),
    onSettled: () => setAsked(false),
  });
  if (data.rollBackTo === undefined || !may('settings.manage')) return null;
  return (
    <div className="row">
      {back.isError && <FailureNotice error={back.error} focus />}
      {asked ? (
        <>
          <span className="small">
            {data.rollBackTo} decides again, and links that the re-link made are taken back.
          </span>
          <Button color="red" loading={back.isPending} onClick={() => back.mutate()}>
            Roll back now
          </Button>
          <Button variant="default" onClick={() => setAsked(false)}>
            Keep it
          </Button>
        </>
      ) : (
        <Button variant="default" onClick={() => setAsked(true)}>
          Roll back to {data.rollBackTo}
        </Button>
      )}
    </div>
  );
}

function JudgeByFile(): ReactNode {
  return (
    <Section
      title="How well it works, by a file"
      note="A file of which you know who is the same person shows what is found, what is missed and what is wrong. Nothing is loaded."
    >
      <div className="row">
        <Button variant="default" renderRoot={(props) => <Link to="/reviews/models/evaluate" {...props} />}>
          Judge by a file
        </Button>
      </div>
    </Section>
  );
}

function CheckGroups(): ReactNode {
  const queries = useQueryClient();
  const begin = useMutation({
    mutationFn: () => api.send('POST', '/api/models/check-groups', studyReply, {}),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['models'] }),
  });
  return (
    <Section
      title="People whose records may not belong together"
      note="Looks through everybody with several records for contradictions, strangers held together by one record, and weak links. Nothing is changed."
    >
      <div className="row">
        <Button variant="default" loading={begin.isPending} onClick={() => begin.mutate()}>
          Look through all
        </Button>
      </div>
      {begin.isError && <FailureNotice error={begin.error} focus />}
    </Section>
  );
}
