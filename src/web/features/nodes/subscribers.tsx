import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { WireSubscriber } from '../../../features/subscriptions/wire.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import { Scroller } from '../../ui/scroller.tsx';
import { Moment, Own } from '../../ui/text.tsx';
import { failureInWords, subscribers } from './delivery-queries.ts';
import { nodeList } from './node-queries.ts';

const STATUS: Readonly<Record<WireSubscriber['status'], string>> = {
  requested: 'starting',
  active: 'told',
  error: 'does not answer, tried again',
  off: 'off',
};

/** Which systems are told of changes, and whether they keep up. */
export function Subscribers({ nodeId }: { readonly nodeId: string | undefined }): ReactNode {
  const list = useQuery(subscribers);
  const nodes = useQuery(nodeList);
  const rows = (list.data?.subscribers ?? []).filter((one) => nodeId === undefined || one.nodeId === nodeId);
  if (list.isError) return <FailureNotice error={list.error} onRetry={() => void list.refetch()} />;
  if (rows.length === 0) return null;
  return (
    <Section title="Subscribers" note="Systems that are told of changes to people.">
      <Scroller label="Table of subscribers" className="calls-table">
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">Node</th>
              <th scope="col">State</th>
              <th scope="col" data-align="end">
                Waiting
              </th>
              <th scope="col" data-align="end">
                Given up
              </th>
              <th scope="col">Last told</th>
              <th scope="col">Last failure</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((one) => (
              <tr key={one.id}>
                <th scope="row">
                  <Own>{nodes.data?.nodes.find(({ id }) => id === one.nodeId)?.name ?? one.nodeId}</Own>
                </th>
                <td data-failed={one.status === 'error' || one.status === 'off'} className="call-status">
                  {STATUS[one.status]}
                </td>
                <td data-align="end">{one.waiting.toLocaleString()}</td>
                <td data-align="end">{one.dead.toLocaleString()}</td>
                <td>{one.lastSuccessAt === undefined ? 'not yet' : <Moment iso={one.lastSuccessAt} />}</td>
                <td>{one.failures === 0 ? '—' : failureInWords(one.lastFailure)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
    </Section>
  );
}
