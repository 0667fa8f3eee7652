import { Button, NativeSelect } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { type ModelDetail, type ModelsReply, promoteReply, studyReply } from '../../../features/models/wire.ts';
import { api } from '../../app/api.ts';
import { PageWait } from '../../app/page-wait.tsx';
import { useMay } from '../../app/session.tsx';
import { Facts } from '../../ui/bits.tsx';
import { IconArrowLeft } from '../../ui/icons.ts';
import { fieldWords, levelWords } from '../../ui/match-words.ts';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { Moment } from '../../ui/text.tsx';
import { modelQuery, modelsQuery } from './model-queries.ts';
import './models.css';

/** One version: what it says, beside another one, and what can be done with it. */
export function ModelPage(): ReactNode {
  const { id } = useParams({ from: '/frame/reviews/models/$id' });
  const model = useQuery(modelQuery(id));
  const models = useQuery(modelsQuery);
  if (model.isPending || models.isPending) return <PageWait />;
  return (
    <Page
      title="Matching model"
      heading={model.data?.model.version}
      sentence={model.data?.description === '' ? 'What this version counts, and how much.' : model.data?.description}
      above={
        <Link to="/reviews/models" className="back">
          <IconArrowLeft size={16} aria-hidden /> Matching models
        </Link>
      }
    >
      {model.isError && <FailureNotice error={model.error} onRetry={() => void model.refetch()} />}
      {model.data && models.data && <Content detail={model.data} all={models.data} />}
    </Page>
  );
}

function Content({ detail, all }: { readonly detail: ModelDetail; readonly all: ModelsReply }): ReactNode {
  const { model } = detail;
  const percent = (share: number): string => `${(100 * share).toFixed(2).replace(/\.?0+$/, '')} %`;
  return (
    <div className="models-page">
      <Actions detail={detail} all={all} />
      <Section title="About this version">
        <Facts
          facts={[
            ['Links from', percent(model.thresholds.match)],
            ['Asks a steward from', percent(model.thresholds.review)],
            ['One pair in', Math.round(detail.population).toLocaleString()],
            ['Names with a share of their own', `${detail.names.given} given, ${detail.names.family} family`],
            ['Made', <Moment key="made" iso={model.createdAt} />],
            ['By', model.createdBy],
            model.notes === '' ? undefined : ['Notes', model.notes],
            ['Content (SHA-256)', <code key="hash">{model.contentHash.slice(0, 16)}…</code>],
            ['Looks for candidates by', detail.blocking.map(({ parts }) => parts.join(' + ')).join('; ')],
          ]}
        />
      </Section>
      {detail.judged && <Judged judged={detail.judged} />}
      <Weights detail={detail} all={all} />
    </div>
  );
}

function Actions({ detail: { model }, all }: { readonly detail: ModelDetail; readonly all: ModelsReply }): ReactNode {
  const queries = useQueryClient();
  const may = useMay();
  const promote = useMutation({
    mutationFn: () => api.send('POST', `/api/models/${model.id}/promote`, promoteReply, {}),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['models'] }),
  });
  if (model.state === 'active') return <Decides detail={{ model }} all={all} />;
  const waits = model.proposedBy?.isMe === true;
  return (
    <Section
      title="Try it, then let it decide"
      note="A simulation compares records of yours by both models and changes nothing. Promoting makes this model decide at once; then all records are gone over in the background, and what stewards decided stays."
    >
      <div className="model-form">
        <Simulate modelId={model.id} />
        {may('settings.manage') && (
          <Button loading={promote.isPending} disabled={waits} onClick={() => promote.mutate()}>
            {model.proposedBy && !waits ? 'Agree and promote' : 'Promote'}
          </Button>
        )}
      </div>
      <LastSimulation version={model.version} all={all} />
      {waits && <p>You have proposed it. Another person has to agree.</p>}
      {promote.isError && <FailureNotice error={promote.error} focus />}
      {promote.data && (
        <Notice tone="info" title={'waitsForSecond' in promote.data ? 'Proposed' : 'It decides now'}>
          <p>
            {'waitsForSecond' in promote.data
              ? 'Another person has to agree before it decides.'
              : 'The records are being gone over; the page of all models shows how far it is.'}
          </p>
        </Notice>
      )}
    </Section>
  );
}

/** Begins a simulation; where it is, the page of all models shows. */
function Simulate({ modelId }: { readonly modelId: string }): ReactNode {
  const queries = useQueryClient();
  const may = useMay();
  const [records, setRecords] = useState('10000');
  const simulate = useMutation({
    mutationFn: () =>
      api.send('POST', '/api/models/simulate', studyReply, {
        modelId,
        ...(records === 'all' ? {} : { records: Number(records) }),
      }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['models'] }),
  });
  if (!may('review.decide')) return null;
  return (
    <>
      <NativeSelect
        label="Records to try it on"
        value={records}
        onChange={({ currentTarget }) => setRecords(currentTarget.value)}
        data={[
          { value: '2000', label: '2,000 by chance' },
          { value: '10000', label: '10,000 by chance' },
          { value: '100000', label: '100,000 by chance' },
          { value: 'all', label: 'all' },
        ]}
      />
      <Button variant="default" loading={simulate.isPending} onClick={() => simulate.mutate()}>
        Simulate
      </Button>
      {simulate.isError && <FailureNotice error={simulate.error} focus />}
    </>
  );
}

function Decides({
  detail: { model },
  all,
}: {
  readonly detail: Pick<ModelDetail, 'model'>;
  readonly all: ModelsReply;
}) {
  return (
    <>
      <Notice tone="info" title="This model decides">
        <p>Every registration, search for duplicates and review goes by it.</p>
      </Notice>
      <Section
        title="Other thresholds"
        note="See how the scores of your own records are spread, move the thresholds, and keep what you like as a version of its own. Nothing is changed by looking."
      >
        <div className="model-form">
          <Simulate modelId={model.id} />
        </div>
        <LastSimulation version={model.version} all={all} />
      </Section>
    </>
  );
}

function LastSimulation({ version, all }: { readonly version: string; readonly all: ModelsReply }): ReactNode {
  const last = all.studies.find((one) => one.kind === 'simulation' && one.model === version);
  if (last === undefined) return null;
  return (
    <p>
      Last simulation: {last.state}.{' '}
      {last.state === 'done' && (
        <Link to="/reviews/models/studies/$id" params={{ id: last.id }} className="link">
          See what it would change
        </Link>
      )}
    </p>
  );
}

function Judged({ judged }: { readonly judged: NonNullable<ModelDetail['judged']> }): ReactNode {
  const rows = [
    ['one person', judged.same],
    ['two people', judged.different],
  ] as const;
  return (
    <Section
      title="What people decided, by this model"
      note="Pairs that stewards decided, and what this model alone would have done."
    >
      <table className="model-table">
        <thead>
          <tr>
            <th scope="col">People said</th>
            <th scope="col">Would be linked</th>
            <th scope="col">Would be asked</th>
            <th scope="col">Left alone</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([words, of]) => (
            <tr key={words}>
              <th scope="row">{words}</th>
              <td>{of.link.toLocaleString()}</td>
              <td>{of.review.toLocaleString()}</td>
              <td>{of.none.toLocaleString()}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

const signed = (weight: number): string => `${weight > 0 ? '+' : ''}${weight.toFixed(1)}`;

function Weights({ detail, all }: { readonly detail: ModelDetail; readonly all: ModelsReply }): ReactNode {
  const others = all.models.filter(({ id }) => id !== detail.model.id);
  const [beside, setBeside] = useState('');
  const other = useQuery({ ...modelQuery(beside), enabled: beside !== '' });
  const weightIn = (field: string, level: string): number | undefined =>
    other.data?.fields.find((one) => one.field === field)?.levels.find((one) => one.level === level)?.weight;
  return (
    <Section
      title="What counts how much"
      note="+10 means that records of one person agree so about a thousand times as often as records of strangers do."
      aside={
        others.length > 0 && (
          <NativeSelect
            aria-label="Beside another model"
            value={beside}
            onChange={({ currentTarget }) => setBeside(currentTarget.value)}
            data={[
              { value: '', label: 'beside no other' },
              ...others.map(({ id, version }) => ({ value: id, label: `beside ${version}` })),
            ]}
          />
        )
      }
    >
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls */}
      <div className="model-scroll" tabIndex={0} role="region" aria-label="Weights">
        <table className="model-table">
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Level</th>
              <th scope="col">{detail.model.version}</th>
              {other.data && <th scope="col">{other.data.model.version}</th>}
              {other.data && <th scope="col">Difference</th>}
            </tr>
          </thead>
          <tbody>
            {detail.fields.flatMap(({ field, levels }) =>
              levels.map(({ level, weight }, at) => {
                const then = weightIn(field, level);
                return (
                  <tr key={`${field} ${level}`}>
                    <th scope="row">
                      {at === 0 ? fieldWords(field) : <span className="visually-hidden">{fieldWords(field)}</span>}
                    </th>
                    <td className="start">{levelWords(level)}</td>
                    <td>{signed(weight)}</td>
                    {other.data && <td>{then === undefined ? '–' : signed(then)}</td>}
                    {other.data && <td>{then === undefined ? '' : signed(weight - then)}</td>}
                  </tr>
                );
              }),
            )}
          </tbody>
        </table>
      </div>
    </Section>
  );
}
