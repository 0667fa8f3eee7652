import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { linkVerdictReply } from '../../../features/registry/wire-quality.ts';
import { api } from '../../app/api.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { ComparisonTable } from './comparison.tsx';
import { nextLinkCheck } from './review-queries.ts';
import './review.css';

const VERDICTS = [
  { verdict: 'right', label: 'One person' },
  { verdict: 'wrong', label: 'Different people' },
  { verdict: 'unsure', label: 'Not sure' },
] as const;

/** A link that was drawn, without its score, and three answers. Answering changes no record: a wrong link is taken out on the client's page. */
export function LinkCheck({ waiting }: { readonly waiting: number }): ReactNode {
  const queries = useQueryClient();
  const next = useQuery(nextLinkCheck);
  const judge = useMutation({
    mutationFn: (what: { id: string; verdict: (typeof VERDICTS)[number]['verdict'] }) =>
      api.send('POST', `/api/quality/checks/${what.id}`, linkVerdictReply, { verdict: what.verdict }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['quality'] }),
  });
  const check = next.data?.check;
  return (
    <div className="quality-check">
      <h3>Are these two one person? {waiting.toLocaleString()} to go</h3>
      {next.isError && <FailureNotice error={next.error} onRetry={() => void next.refetch()} />}
      {check && (
        <>
          <ComparisonTable a={check.a} b={check.b} comparison={check.comparison} />
          <div className="row">
            {VERDICTS.map(({ verdict, label }) => (
              <Button
                key={verdict}
                variant="default"
                loading={judge.isPending && judge.variables.verdict === verdict}
                onClick={() => judge.mutate({ id: check.id, verdict })}
              >
                {label}
              </Button>
            ))}
          </div>
          <p className="soft small">
            Your answer changes no record. If they are different people, open the client and take one record out.
          </p>
        </>
      )}
      {judge.isError && <FailureNotice error={judge.error} focus />}
    </div>
  );
}
