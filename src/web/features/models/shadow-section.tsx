import { Button, NativeSelect } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { type ModelSummary, type ShadowReply, shadowReply } from '../../../features/models/wire.ts';
import { api } from '../../app/api.ts';
import { useMay } from '../../app/session.tsx';
import { Bars } from '../../ui/bars.tsx';
import { FailureNotice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import { Ago, scoreText } from '../../ui/text.tsx';
import { ExamplePair } from './example-pair.tsx';
import { shadowQuery } from './model-queries.ts';

/** A model tried beside the active one on every registration. */
export function ShadowSection({ models }: { readonly models: readonly ModelSummary[] }): ReactNode {
  const shadow = useQuery(shadowQuery);
  return (
    <Section
      title="Try beside the active model"
      note="A second model scores every new record and decides nothing. It shows for some days how often the two would differ; what it has no time for is skipped and counted."
    >
      {shadow.isError && <FailureNotice error={shadow.error} onRetry={() => void shadow.refetch()} />}
      <Choose models={models} />
      {shadow.data?.shadow !== undefined && <Differences shadow={shadow.data} />}
    </Section>
  );
}

function Choose({ models }: { readonly models: readonly ModelSummary[] }): ReactNode {
  const queries = useQueryClient();
  const may = useMay();
  const now = models.find(({ state }) => state === 'shadow')?.id ?? '';
  const [chosen, setChosen] = useState(now);
  const set = useMutation({
    mutationFn: () => api.send('PUT', '/api/models/shadow', shadowReply, { modelId: chosen === '' ? null : chosen }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['models'] }),
  });
  if (!may('settings.manage')) return null;
  const others = models.filter(({ state }) => state !== 'active');
  if (others.length === 0) return <p>There is no other model yet. Train or bring one first.</p>;
  return (
    <>
      <div className="model-form">
        <NativeSelect
          label="Model"
          value={chosen}
          onChange={({ currentTarget }) => setChosen(currentTarget.value)}
          data={[{ value: '', label: 'none' }, ...others.map(({ id, version }) => ({ value: id, label: version }))]}
        />
        <Button variant="default" loading={set.isPending} disabled={chosen === now} onClick={() => set.mutate()}>
          {chosen === '' ? 'Stop trying' : 'Try it'}
        </Button>
      </div>
      {set.isError && <FailureNotice error={set.error} focus />}
    </>
  );
}

const WORDS: Readonly<Record<string, string>> = { link: 'linked', review: 'asked', none: 'left alone' };
const wordsOf = (outcome: string): string => {
  if (outcome === 'skipped') return 'skipped: no time';
  const [now = '', then = ''] = outcome.split('->');
  return now === then ? `both: ${WORDS[now] ?? now}` : `${WORDS[now] ?? now} now, ${WORDS[then] ?? then} by the other`;
};

function Differences({ shadow }: { readonly shadow: ShadowReply }): ReactNode {
  const all = new Map<string, number>();
  for (const { outcomes } of shadow.days) {
    for (const [outcome, count] of Object.entries(outcomes)) all.set(outcome, (all.get(outcome) ?? 0) + count);
  }
  const items = [...all]
    .toSorted(([, x], [, y]) => y - x)
    .map(([outcome, value]) => {
      const [now, then] = outcome.split('->');
      return { label: wordsOf(outcome), value, tone: now === then ? ('quiet' as const) : ('amber' as const) };
    });
  return (
    <>
      <p>
        <strong>{shadow.shadow}</strong> beside the active model, over {shadow.days.length}{' '}
        {shadow.days.length === 1 ? 'day' : 'days'}:
      </p>
      {items.length === 0 ? <p>No record was registered since.</p> : <Bars items={items} />}
      <ul className="example-list">
        {shadow.examples.map((one) => (
          <li key={one.id}>
            <details>
              <summary>
                {wordsOf(`${one.now}->${one.beside}`)}: {scoreText(one.scoreNow)} and {scoreText(one.scoreThen)},{' '}
                <Ago iso={one.at} />
              </summary>
              <ExamplePair path={`/api/models/shadow/examples/${one.id}`} />
            </details>
          </li>
        ))}
      </ul>
    </>
  );
}
