import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { GroupsReport, StudyReportReply, TrainingReport } from '../../../features/models/wire.ts';
import { PageWait } from '../../app/page-wait.tsx';
import { plural } from '../../app/words.ts';
import { Bars } from '../../ui/bars.tsx';
import { Facts } from '../../ui/bits.tsx';
import { IconArrowLeft } from '../../ui/icons.ts';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { EvaluationView } from './evaluation-view.tsx';
import { ExamplePair } from './example-pair.tsx';
import { exampleOf, studyQuery } from './model-queries.ts';
import { SimulationView } from './simulation-view.tsx';
import './models.css';

const SENTENCES = {
  simulation: 'What this model would change about the records that are here. Nothing was changed.',
  training: 'What training found in your records. The model is kept; it decides nothing until it is promoted.',
  evaluation:
    'What matching found in the file, beside what is known to be true. Nothing was loaded; the file is deleted.',
  clusters: 'People whose records may not belong together, worst first. Nothing was changed.',
} as const;
const TITLES = {
  simulation: 'Simulation',
  training: 'Training',
  clusters: 'Groups looked through',
  evaluation: 'Judged by a file',
} as const;

/** The report of a study. */
export function StudyPage(): ReactNode {
  const { id } = useParams({ from: '/frame/reviews/models/studies/$id' });
  const study = useQuery(studyQuery(id));
  if (study.isPending) return <PageWait />;
  const kind = study.data?.report.kind ?? 'simulation';
  return (
    <Page
      title={TITLES[kind]}
      sentence={study.isError ? 'This report could not be shown.' : SENTENCES[kind]}
      above={
        <Link to="/reviews/models" className="back">
          <IconArrowLeft size={16} aria-hidden /> Matching models
        </Link>
      }
    >
      {study.isError && <FailureNotice error={study.error} onRetry={() => void study.refetch()} />}
      {study.data && <Report id={id} reply={study.data} />}
    </Page>
  );
}

function Report({ id, reply: { report } }: { readonly id: string; readonly reply: StudyReportReply }): ReactNode {
  if (report.kind === 'simulation') return <SimulationView id={id} report={report} />;
  if (report.kind === 'evaluation') return <EvaluationView report={report} />;
  return report.kind === 'training' ? <Training report={report} /> : <Groups id={id} report={report} />;
}

function Training({ report }: { readonly report: TrainingReport }): ReactNode {
  return (
    <div className="models-page">
      {!report.converged && (
        <Notice tone="amber" title="Training did not settle">
          <p>
            The records hold too little to learn what records of one person look like; that part is as shipped. Simulate
            before you trust it.
          </p>
        </Notice>
      )}
      <Facts
        facts={[
          ['Model', report.version],
          ['Records', `${report.drawn.toLocaleString()} of ${report.records.toLocaleString()}`],
          ['Pairs of one person expected among them', Math.round(report.matchesExpected).toLocaleString()],
          ['Pairs of one household', Math.round(report.householdsExpected).toLocaleString()],
          ['Rounds', String(report.rounds)],
          report.labels === undefined
            ? undefined
            : [
                'Decided pairs used',
                `${report.labels.same.toLocaleString()} one person, ${report.labels.different.toLocaleString()} two people`,
              ],
        ]}
      />
    </div>
  );
}

const FAULTS = {
  contradiction: 'Two of the records contradict each other',
  chain: 'Two look like strangers, held together by a third',
  'weak-link': 'Held together by a doubtful likeness',
  'too-large': 'So many records that they were not compared',
} as const;

function Groups({ id, report }: { readonly id: string; readonly report: GroupsReport }): ReactNode {
  const sizes = ['2', '3', '4', '5–9', '10–19', '20 and more'];
  return (
    <div className="models-page">
      <p>
        {plural(report.groups, 'person has', 'people have')} several records, the largest{' '}
        {report.largest.toLocaleString()}. Judged by {report.active}.
      </p>
      <Section title="Records per person">
        <Bars items={sizes.map((label, at) => ({ label, value: report.sizes[at] ?? 0 }))} />
      </Section>
      <Section title="What was found">
        <Bars
          items={Object.entries(FAULTS).map(([kind, label]) => ({
            label,
            value: report.faults[kind as keyof typeof FAULTS],
            tone: 'amber',
          }))}
        />
        {report.examples.length === 0 && <p>Nothing. Everybody’s records fit together.</p>}
        <ul className="example-list">
          {report.examples.map((one, at) => (
            <li key={one.clientId}>
              <details>
                <summary>
                  {FAULTS[one.kind]}, {plural(one.size, 'record', 'records')}
                </summary>
                <Link to="/clients/$id" params={{ id: one.clientId }} className="link">
                  Open the client
                </Link>
                {one.hasPair && <ExamplePair path={exampleOf(id, at)} />}
              </details>
            </li>
          ))}
        </ul>
      </Section>
    </div>
  );
}
