import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { addedReply, type SimulationReport } from '../../../features/models/wire.ts';
import { api } from '../../app/api.ts';
import { useMay } from '../../app/session.tsx';
import { plural } from '../../app/words.ts';
import { Bars } from '../../ui/bars.tsx';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import { scoreText } from '../../ui/text.tsx';
import { Waterfall } from '../../ui/waterfall.tsx';
import { ExamplePair } from './example-pair.tsx';
import { exampleOf, modelsQuery } from './model-queries.ts';
import { type Bounds, ScoreHistogram } from './score-histogram.tsx';

/** What a candidate would change: counts, scores with thresholds to try, examples side by side. */
export function SimulationView({ id, report }: { readonly id: string; readonly report: SimulationReport }): ReactNode {
  const [bounds, setBounds] = useState<Bounds>(report.thresholds);
  return (
    <div className="models-page">
      {report.looked === 0 && (
        <Notice tone="info" title="No records yet">
          <p>Load some clients first; then there is something to try a model on.</p>
        </Notice>
      )}
      <p>
        {report.candidate} beside {report.active}: {plural(report.looked, 'record', 'records')} of{' '}
        {report.records.toLocaleString()} looked at, {plural(report.pairs, 'pair', 'pairs')} compared.
      </p>
      <Section title="If it decided">
        <Bars
          items={[
            { label: 'records that would join another person', value: report.gained },
            { label: 'records that would leave theirs', value: report.lost, tone: 'amber' },
            { label: 'pairs a steward’s decision holds', value: report.bound, tone: 'quiet' },
          ]}
        />
        {report.newRules.length > 0 && (
          <p className="small">
            It also looks for candidates by {report.newRules.join(', ')}, which records have no keys for yet: pairs that
            only these bring together are not counted here.
          </p>
        )}
        {report.cut > 0 && (
          <p className="small">
            {plural(report.cut, 'record shares', 'records share')} a key with more than 64 others; not all of those were
            compared.
          </p>
        )}
      </Section>
      <Section
        title="Pairs, now and then"
        note="By score alone, before contradictions of whole groups and stewards’ decisions."
      >
        <Changes report={report} />
      </Section>
      <Section
        title="Scores and thresholds"
        note="Move a threshold and see what it would do. Keep what you like as a version of its own."
      >
        <ScoreHistogram histogram={report.histogram} bounds={bounds} onChange={setBounds} />
        <KeepBounds report={report} bounds={bounds} />
      </Section>
      <Section
        title="How candidates are found"
        note="Records are compared when they share a key of one of these rules of the active model. A rule that meets many and finds nothing costs time; one that alone finds links is needed."
      >
        <Rules report={report} />
      </Section>
      <Section title="Examples">
        {report.examples.length === 0 && <p>Not one pair would be decided otherwise.</p>}
        <ul className="example-list">
          {report.examples.map((one, at) => (
            // oxlint-disable-next-line react/no-array-index-key -- an example is named by its place in the report
            <li key={at}>
              <Example id={id} at={at} example={one} />
            </li>
          ))}
        </ul>
      </Section>
    </div>
  );
}

function Rules({ report }: { readonly report: SimulationReport }): ReactNode {
  const per = (count: number): string => (report.looked === 0 ? '0' : (count / report.looked).toFixed(1));
  return (
    <>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls */}
      <div className="model-scroll" tabIndex={0} role="region" aria-label="Blocking rules">
        <table className="model-table">
          <thead>
            <tr>
              <th scope="col">Rule</th>
              <th scope="col">Records with a key</th>
              <th scope="col">Met per record</th>
              <th scope="col">In an over-full block</th>
              <th scope="col">Links it finds</th>
              <th scope="col">It alone</th>
            </tr>
          </thead>
          <tbody>
            {report.rules.map((rule) => (
              <tr key={rule.rule}>
                <th scope="row">{rule.parts}</th>
                <td>{rule.records.toLocaleString()}</td>
                <td>{per(rule.met)}</td>
                <td>{rule.full.toLocaleString()}</td>
                <td>{rule.links.toLocaleString()}</td>
                <td>{rule.linksAlone.toLocaleString()}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {report.linksUnmet > 0 && (
        <p className="small">
          {plural(report.linksUnmet, 'link is', 'links are')} found by no rule: people made them, or others lie between.
        </p>
      )}
    </>
  );
}

const OUTCOMES = ['match', 'review', 'none'] as const;
const WORDS = { match: 'link', review: 'ask', none: 'leave alone' } as const;

function Changes({ report }: { readonly report: SimulationReport }): ReactNode {
  return (
    <table className="model-table">
      <caption className="visually-hidden">Pairs by what both models would do</caption>
      <thead>
        <tr>
          <th scope="col">Now</th>
          {OUTCOMES.map((then) => (
            <th key={then} scope="col">
              then {WORDS[then]}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {OUTCOMES.map((now) => (
          <tr key={now}>
            <th scope="row">{WORDS[now]}</th>
            {OUTCOMES.map((then) => (
              <td key={then} data-same={now === then}>
                {(report.changes[`${now}->${then}`] ?? 0).toLocaleString()}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function KeepBounds({ report, bounds }: { readonly report: SimulationReport; readonly bounds: Bounds }): ReactNode {
  const queries = useQueryClient();
  const may = useMay();
  const models = useQuery(modelsQuery);
  const [version, setVersion] = useState('');
  const id = models.data?.models.find((one) => one.version === report.candidate)?.id;
  const keep = useMutation({
    mutationFn: () =>
      api.send('POST', `/api/models/${id ?? ''}/adjust`, addedReply, {
        version,
        match: bounds.match,
        review: bounds.review,
      }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['models'] }),
  });
  const changed = bounds.match !== report.thresholds.match || bounds.review !== report.thresholds.review;
  if (!may('review.decide') || id === undefined) return null;
  return (
    <>
      <div className="model-form">
        <TextInput
          label="Name for the model with these thresholds"
          value={version}
          maxLength={60}
          onChange={({ currentTarget }) => setVersion(currentTarget.value)}
        />
        <Button
          variant="default"
          loading={keep.isPending}
          disabled={!changed || version === ''}
          onClick={() => keep.mutate()}
        >
          Keep as a version
        </Button>
      </div>
      {keep.isError && <FailureNotice error={keep.error} focus />}
      {keep.isSuccess && (
        <Notice tone="info" title={`${keep.data.model.version} is kept`}>
          <p>It decides nothing yet. Simulate it, then promote it on the page of matching models.</p>
        </Notice>
      )}
    </>
  );
}

const KINDS = {
  gained: 'Would be linked',
  lost: 'Would no longer be held together',
  asked: 'Would be asked',
  'no-longer-asked': 'Would no longer be asked',
} as const;

function Example({
  id,
  at,
  example: { kind, before, after },
}: {
  readonly id: string;
  readonly at: number;
  readonly example: SimulationReport['examples'][number];
}): ReactNode {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        {KINDS[kind]}: {scoreText(before.score)} now, {scoreText(after.score)} then
      </summary>
      {open && (
        <div className="example">
          <ExamplePair path={exampleOf(id, at)} />
          <div className="example-falls">
            <Waterfall explanation={before} />
            <Waterfall explanation={after} />
          </div>
        </div>
      )}
    </details>
  );
}
