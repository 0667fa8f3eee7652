import { Button, NativeSelect, NumberInput, Progress } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { bulkProgress, bulkReply, type BulkView } from '../../../features/registry/wire.ts';
import { api } from '../../app/api.ts';
import { PageWait } from '../../app/page-wait.tsx';
import { plural } from '../../app/words.ts';
import { Tag } from '../../ui/bits.tsx';
import { IconArrowLeft, IconCheck, IconUsersGroup } from '../../ui/icons.ts';
import { Empty, FailureNotice } from '../../ui/notice.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { Ago, scoreText } from '../../ui/text.tsx';
import { forgetReviews, reviewGroups } from './review-queries.ts';
import './review.css';

/** Many alike pairs at once, after a sample of them was looked at one by one. */
export function ReviewGroupsPage(): ReactNode {
  const groups = useQuery(reviewGroups);
  if (groups.isPending) return <PageWait />;
  return (
    <Page
      title="Accept many together"
      sentence="When hundreds of pairs are alike in the same way, look at a sample of them. If every one of it is one person, the rest can be linked at once."
      above={
        <Link to="/reviews" className="back">
          <IconArrowLeft size={16} aria-hidden /> Reviews
        </Link>
      }
      width="reading"
    >
      <NewGroup />
      <Section title="Groups">
        {groups.isError && <FailureNotice error={groups.error} onRetry={() => void groups.refetch()} />}
        {groups.data?.bulks.length === 0 && (
          <Empty icon={<IconUsersGroup size={24} />} title="No group yet">
            <p>Choose a score above and draw a sample. Nothing is linked by that.</p>
          </Empty>
        )}
        {groups.data?.bulks.map((group) => (
          <Group key={group.id} group={group} />
        ))}
      </Section>
    </Page>
  );
}

function NewGroup(): ReactNode {
  const queries = useQueryClient();
  const [percent, setPercent] = useState<number | string>(85);
  const [size, setSize] = useState('50');
  const begin = useMutation({
    mutationFn: () =>
      api.send('POST', '/api/review-groups', bulkReply, {
        scoreFrom: Number(percent) / 100,
        sampleSize: Number(size),
      }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['reviews', 'groups'] }),
  });
  return (
    <Section title="Draw a sample">
      <form
        className="group-form"
        onSubmit={(submitted) => {
          submitted.preventDefault();
          begin.mutate();
        }}
      >
        <NumberInput
          label="Pairs with a score of at least"
          suffix=" %"
          min={0}
          max={100}
          decimalScale={1}
          value={percent}
          onChange={setPercent}
        />
        <NativeSelect
          label="Pairs to look at one by one"
          value={size}
          onChange={({ currentTarget }) => setSize(currentTarget.value)}
          data={['20', '50', '100', '200']}
        />
        <Button type="submit" loading={begin.isPending} disabled={percent === ''}>
          Draw the sample
        </Button>
      </form>
      <p className="soft small">
        If all {size} are one person, fewer than {Math.ceil(300 / Number(size))} in 100 of the rest are wrong (with 95 %
        certainty). Pairs with a contradiction always want a person each and are left out.
      </p>
      {begin.isError && <FailureNotice error={begin.error} focus />}
    </Section>
  );
}

const STATE_WORDS = {
  sampling: 'sample being looked at',
  accepting: 'being linked',
  done: 'linked',
  'given-up': 'taken back',
} as const;

function Group({ group }: { readonly group: BulkView }): ReactNode {
  const decided = group.sample.filter((one) => one.decision !== undefined).length;
  const wrong = group.sample.filter((one) => one.decision === 'different').length;
  const next = group.sample.find((one) => one.state !== 'decided');
  return (
    <article className="group" aria-label={`Group of ${plural(group.total, 'pair', 'pairs')}`}>
      <header>
        <strong>
          {plural(group.total, 'pair', 'pairs')} from {scoreText(group.scoreFrom)}
        </strong>
        <Tag tone={group.state === 'done' ? 'accent' : 'plain'}>{STATE_WORDS[group.state]}</Tag>
        <span className="soft small">
          {group.createdBy.isMe ? 'you' : group.createdBy.name}, <Ago iso={group.createdAt} />
        </span>
      </header>
      {group.state === 'sampling' && (
        <>
          <Progress value={(100 * decided) / group.sample.length} aria-label="Sample looked at" />
          <p>
            {decided} of {group.sample.length} looked at
            {wrong > 0 && `, ${wrong} of them different people: this group cannot be linked together`}.
          </p>
        </>
      )}
      {group.state !== 'sampling' && (
        <p>
          {plural(group.accepted, 'pair', 'pairs')} linked together, {group.skipped} left out because they had changed.
        </p>
      )}
      <GroupActs group={group} next={next?.id} ready={decided === group.sample.length && wrong === 0} />
    </article>
  );
}

interface GroupActsProps {
  readonly group: BulkView;
  readonly next: string | undefined;
  readonly ready: boolean;
}

function GroupActs({ group, next, ready }: GroupActsProps): ReactNode {
  const queries = useQueryClient();
  const [through, setThrough] = useState(0);
  const act = useMutation({
    mutationFn: async (what: 'accept' | 'undo') => {
      for (let done = 0; ; ) {
        const made = await api.send('POST', `/api/review-groups/${group.id}/${what}`, bulkProgress);
        done += made.done + made.skipped;
        setThrough(done);
        if (!made.more) return;
      }
    },
    onSettled: async () => {
      await queries.invalidateQueries({ queryKey: ['reviews', 'groups'] });
      await forgetReviews(queries);
    },
  });
  const rest = Math.max(0, group.total - group.sample.length);
  return (
    <div className="row">
      {group.state === 'sampling' && next !== undefined && (
        <Button renderRoot={(props) => <Link {...props} to="/reviews/$id" params={{ id: next }} />}>
          Look at the next
        </Button>
      )}
      {((group.state === 'sampling' && ready) || group.state === 'accepting') && (
        <Button
          leftSection={<IconCheck size={17} aria-hidden />}
          loading={act.isPending}
          onClick={() => act.mutate('accept')}
        >
          Link the other {rest.toLocaleString()}
        </Button>
      )}
      {(group.state === 'done' || group.state === 'accepting') && group.accepted > 0 && (
        <Button variant="default" loading={act.isPending} onClick={() => act.mutate('undo')}>
          Take all of them back
        </Button>
      )}
      {act.isPending && (
        <span className="soft numbers" role="status">
          {through.toLocaleString()} done
        </span>
      )}
      {act.isError && <FailureNotice error={act.error} focus />}
    </div>
  );
}
