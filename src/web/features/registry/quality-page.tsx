import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { drawChecksReply, type QualityReply } from '../../../features/registry/wire-quality.ts';
import { api } from '../../app/api.ts';
import { PageWait } from '../../app/page-wait.tsx';
import { useMay } from '../../app/session.tsx';
import { plural } from '../../app/words.ts';
import { Bars } from '../../ui/bars.tsx';
import { IconArrowLeft } from '../../ui/icons.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { LinkCheck } from './link-check.tsx';
import { qualityQuery } from './review-queries.ts';
import { SourceQuality } from './source-quality.tsx';
import './quality.css';

/** How far links can be trusted, how old the queue is, and what each source leaves out. */
export function QualityPage(): ReactNode {
  const quality = useQuery(qualityQuery);
  if (quality.isPending) return <PageWait />;
  return (
    <Page
      title="Quality"
      sentence="Measured, not believed: how often links made without a person are right, how long pairs wait, and what each source leaves out."
      above={
        <Link to="/reviews" className="back">
          <IconArrowLeft size={16} aria-hidden /> Reviews
        </Link>
      }
    >
      {quality.isError && <FailureNotice error={quality.error} onRetry={() => void quality.refetch()} />}
      {quality.data && (
        <div className="quality-page">
          <Section
            title="Are automatic links right?"
            note="Links drawn by chance and looked at again by people who do not see the score."
          >
            <Precision quality={quality.data} />
          </Section>
          <Section title="How long pairs wait">
            <Bars items={agesOf(quality.data.queue)} />
          </Section>
          <Section
            title="Sources"
            note={`What records say, from ${plural(quality.data.sampled, 'record', 'records')} taken by chance.`}
          >
            <SourceQuality sources={quality.data.sources} />
          </Section>
        </div>
      )}
    </Page>
  );
}

function agesOf({ day, week, month, older }: QualityReply['queue']) {
  return [
    { label: 'less than a day', value: day },
    { label: 'up to a week', value: week },
    { label: 'up to a month', value: month, tone: 'amber' as const },
    { label: 'longer', value: older, tone: 'amber' as const },
  ];
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function Precision({ quality }: { readonly quality: QualityReply }): ReactNode {
  const { precision, checksWaiting, months } = quality;
  const may = useMay();
  return (
    <div className="stack">
      {precision.judged === 0 ? (
        <p>Nobody has looked yet. Draw some links; a hundred take an experienced person about half an hour.</p>
      ) : (
        <>
          <p className="quality-figure">
            <strong>{percent(precision.right / precision.judged)}</strong> of {precision.judged.toLocaleString()} links
            were right. The true share lies between {percent(precision.low)} and {percent(precision.high)} (95 %).
          </p>
          <Interval low={precision.low} high={precision.high} share={precision.right / precision.judged} />
        </>
      )}
      {months.length > 1 && (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls
        <div className="quality-scroll" tabIndex={0} role="region" aria-label="By month">
          <Months months={months} />
        </div>
      )}
      {may('review.decide') && (checksWaiting > 0 ? <LinkCheck waiting={checksWaiting} /> : <Draw />)}
    </div>
  );
}

/** Where the true share lies, on a line from 90 to 100 %; below 90 % from 0. The sentence above says the same. */
function Interval({
  low,
  high,
  share,
}: {
  readonly low: number;
  readonly high: number;
  readonly share: number;
}): ReactNode {
  const from = low < 0.9 ? 0 : 0.9;
  const at = (value: number): number => (100 * (value - from)) / (1 - from);
  return (
    <div className="quality-interval" aria-hidden>
      <span>{percent(from)}</span>
      <svg viewBox="0 0 100 6" preserveAspectRatio="none">
        <line x1="0" x2="100" y1="3" y2="3" className="axis" />
        <rect x={at(low)} width={Math.max(0.6, at(high) - at(low))} y="1" height="4" />
        <rect x={Math.min(99.4, at(share))} width="0.6" y="0" height="6" className="mark" />
      </svg>
      <span>100 %</span>
    </div>
  );
}

function Months({ months }: Pick<QualityReply, 'months'>): ReactNode {
  return (
    <table className="quality-months">
      <caption className="visually-hidden">By month</caption>
      <thead>
        <tr>
          <th scope="col">Month</th>
          <th scope="col">Right</th>
          <th scope="col">Wrong</th>
          <th scope="col">Not sure</th>
          <th scope="col">Between</th>
        </tr>
      </thead>
      <tbody>
        {months.map((one) => (
          <tr key={one.month}>
            <th scope="row">{one.month}</th>
            <td>{one.right}</td>
            <td>{one.wrong}</td>
            <td>{one.unsure}</td>
            <td>
              {percent(one.low)} and {percent(one.high)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Draw(): ReactNode {
  const queries = useQueryClient();
  const draw = useMutation({
    mutationFn: (size: number) => api.send('POST', '/api/quality/checks', drawChecksReply, { size }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['quality'] }),
  });
  return (
    <>
      <div className="row">
        {[20, 100].map((size) => (
          <Button key={size} variant="default" loading={draw.isPending} onClick={() => draw.mutate(size)}>
            Draw {size} links
          </Button>
        ))}
      </div>
      {draw.isError && <FailureNotice error={draw.error} focus />}
    </>
  );
}
