import { Button, Progress } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { type ReactNode, useEffect } from 'react';
import type { LoadView } from '../../../features/load/wire.ts';
import { api } from '../../app/api.ts';
import { PageWait } from '../../app/page-wait.tsx';
import { plural } from '../../app/words.ts';
import { Bars } from '../../ui/bars.tsx';
import { Facts } from '../../ui/bits.tsx';
import { IconArrowLeft, IconDownload } from '../../ui/icons.ts';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { Moment, Own, bytesText, durationText } from '../../ui/text.tsx';
import { isRunning, loadDetail, loadDraft } from './load-queries.ts';
import { LoadStateTag, shareOf } from './load-state.tsx';
import './load.css';

/** One load: how far it is, and what came of it. It runs on the server; this page may be left. */
export function LoadPage(): ReactNode {
  const { id } = useParams({ from: '/frame/load/$id' });
  const detail = useQuery(loadDetail(id));
  const queries = useQueryClient();
  const done = detail.data !== undefined && !isRunning(detail.data.load);
  useEffect(() => {
    if (!done) return;
    void queries.invalidateQueries({ queryKey: ['clients'] });
    void queries.invalidateQueries({ queryKey: ['reviews'] });
    void queries.invalidateQueries({ queryKey: ['home'] });
  }, [done, queries]);
  if (detail.isPending) return <PageWait />;
  if (detail.isError && !detail.data) {
    return (
      <Page title="Load" sentence="This load could not be shown." above={<Back />} width="reading">
        <FailureNotice error={detail.error} onRetry={() => void detail.refetch()} />
      </Page>
    );
  }
  const { load } = detail.data;
  return (
    <Page
      title="Load"
      heading={<Own>{load.fileName}</Own>}
      sentence={sentenceOf(load)}
      above={<Back />}
      width="reading"
      action={load.state === 'done' && <NextStep load={load} />}
    >
      {isRunning(load) && <Running load={load} lost={detail.isError} />}
      {load.state === 'failed' && <Stopped load={load} />}
      {load.state === 'cancelled' && (
        <Notice tone="info" title="Cancelled">
          <p>
            What was loaded before stays. Load the same file again to go on: rows that are there already change nothing.
          </p>
        </Notice>
      )}
      <Figures load={load} />
      <Section title="About this load">
        <Facts
          facts={[
            ['State', <LoadStateTag key="state" load={load} />],
            ['Domain', <code key="domain">{load.domain}</code>],
            ['File', `${load.format.toUpperCase()}, ${bytesText(load.bytesTotal)}`],
            ['Started', <Started key="started" load={load} />],
            load.finishedAt === undefined
              ? undefined
              : ['Finished', <Moment key="finished" iso={load.finishedAt} seconds />],
            ['Time worked', speedText(load)],
          ]}
        />
      </Section>
    </Page>
  );
}

function Back(): ReactNode {
  return (
    <Link to="/load" className="back">
      <IconArrowLeft size={16} aria-hidden /> Loads
    </Link>
  );
}

function Started({ load }: { readonly load: LoadView }): ReactNode {
  return (
    <>
      <Moment iso={load.startedAt} seconds /> by {load.startedBy}
    </>
  );
}

function speedText(load: LoadView): string {
  if (load.seconds === 0) return '—';
  const speed = Math.round(load.counts.read / load.seconds);
  return load.counts.read === 0
    ? durationText(load.seconds)
    : `${durationText(load.seconds)}, ${speed.toLocaleString()} rows a second`;
}

function sentenceOf(load: LoadView): string {
  if (isRunning(load)) return 'It runs on the server. You may leave this page and come back.';
  if (load.dryRun) return 'A dry run: everything was read and matched, nothing was kept.';
  return 'What the file brought.';
}

function Running({ load, lost }: { readonly load: LoadView; readonly lost: boolean }): ReactNode {
  const queries = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => api.act('POST', `/api/loads/${load.id}/cancel`),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['loads'] }),
  });
  const share = shareOf(load);
  const left = share > 0.02 && load.seconds > 1 ? (load.seconds / share) * (1 - share) : undefined;
  const percent = Math.floor(share * 100);
  return (
    <div className="running">
      <div className="running-line">
        <strong className="numbers">{load.state === 'waiting' ? 'Waiting to start' : `${percent} %`}</strong>
        <span className="soft numbers">
          {plural(load.counts.read, 'row', 'rows')}
          {left !== undefined && load.reading === undefined && `, about ${durationText(left)} left`}
        </span>
        <Button variant="default" size="xs" onClick={() => cancel.mutate()} loading={cancel.isPending}>
          Cancel
        </Button>
      </div>
      <Progress value={share * 100} size="md" aria-label="Progress of the load" />
      {load.reading && <Reading done={load.reading.done} of={load.reading.of} />}
      <Announce percent={percent} />
      {lost && <p className="soft small">The server does not answer just now; the load goes on. Trying again.</p>}
      {cancel.isError && <FailureNotice error={cancel.error} />}
    </div>
  );
}

/** A large file is compared with the whole registry, which is read once before. */
function Reading({ done, of }: { readonly done: number; readonly of: number }): ReactNode {
  return (
    <p className="soft small numbers">
      Reading the registry first, to compare faster: {done.toLocaleString()} of about {of.toLocaleString()} records.
    </p>
  );
}

/** Says every quarter, so that a screen reader is informed and not flooded. */
function Announce({ percent }: { readonly percent: number }): ReactNode {
  const quarter = Math.floor(percent / 25) * 25;
  return (
    <span className="visually-hidden" role="status">
      {quarter === 0 ? '' : `${quarter} percent done`}
    </span>
  );
}

function Stopped({ load }: { readonly load: LoadView }): ReactNode {
  return (
    <Notice tone="red" title="The load stopped" live>
      <p>{load.error?.text ?? 'The server could not go on.'}</p>
      <p>The rows read before are kept{load.dryRun ? ' out, as in every dry run' : ''}; nothing is half done.</p>
      <p>Correct the file if it is the reason, then load it again: rows that are there already change nothing.</p>
    </Notice>
  );
}

function Figures({ load }: { readonly load: LoadView }): ReactNode {
  const { counts } = load;
  const would = load.dryRun ? 'would be ' : '';
  return (
    <Section title={load.dryRun ? 'What would happen' : 'What happened'}>
      <Bars
        items={[
          { label: 'Rows read', value: counts.read, tone: 'quiet' },
          { label: `Records ${would}new`, value: counts.created },
          { label: `Records ${would}changed`, value: counts.updated },
          { label: 'Already there, unchanged', value: counts.unchanged, tone: 'quiet' },
          { label: `Linked to a known client`, value: counts.linked },
          { label: 'Reviews for a steward', value: counts.reviews, tone: 'amber' },
          { label: 'With a warning', value: counts.warnings, tone: 'amber' },
          { label: 'Rejected', value: counts.rejected, tone: 'amber' },
        ]}
      />
      {load.rejectedAvailable && counts.rejected > 0 && (
        <div className="rejected">
          <p>
            {plural(counts.rejected, 'row was', 'rows were')} put aside. The file has each of them as it was, with the
            reason in an extra column: correct it and load it again.
          </p>
          <Download
            href={`/api/loads/${load.id}/rejected`}
            name="rejected-rows.csv"
            words="Download the rejected rows"
          />
        </div>
      )}
      {load.warningsAvailable && counts.warnings > 0 && (
        <div className="rejected">
          <p>
            {plural(counts.warnings, 'row was', 'rows were')} taken with something left out that could not be read. The
            list says which value and why.
          </p>
          <Download href={`/api/loads/${load.id}/warnings`} name="warnings.csv" words="Download the warnings" />
        </div>
      )}
    </Section>
  );
}

interface DownloadProps {
  readonly href: string;
  /** Tells what kind of file it is and nothing about whom it holds. */
  readonly name: string;
  readonly words: string;
}

function Download({ href, name, words }: DownloadProps): ReactNode {
  return (
    <Button
      component="a"
      href={href}
      download={name}
      variant="default"
      leftSection={<IconDownload size={17} aria-hidden />}
    >
      {words}
    </Button>
  );
}

function NextStep({ load }: { readonly load: LoadView }): ReactNode {
  const { data: draft } = useQuery(loadDraft);
  if (load.dryRun)
    return draft ? (
      <Button component={Link} to="/load/new">
        Back to the file, to load it
      </Button>
    ) : null;
  return load.counts.reviews > 0 ? (
    <Button component={Link} to="/reviews">
      Look at the reviews
    </Button>
  ) : (
    <Button component={Link} to="/clients">
      See the clients
    </Button>
  );
}
