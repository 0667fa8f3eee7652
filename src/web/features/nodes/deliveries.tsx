import { Button } from '@mantine/core';
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { deliveryListSchema } from '../../../features/subscriptions/wire.ts';
import { api } from '../../app/api.ts';
import { useMay } from '../../app/session.tsx';
import { IconRefresh } from '../../ui/icons.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import { Scroller } from '../../ui/scroller.tsx';
import { Moment, Own } from '../../ui/text.tsx';
import { nodeList } from './node-queries.ts';

const dead = (nodeId: string | undefined) =>
  queryOptions({
    queryKey: ['deliveries', nodeId],
    queryFn: ({ signal }) =>
      api.get(`/api/deliveries?state=dead${nodeId === undefined ? '' : `&nodeId=${nodeId}`}`, deliveryListSchema, {
        signal,
      }),
    staleTime: 5_000,
  });

/** Notifications that could not be delivered, to be sent again once the other side is well. */
export function Deliveries({ nodeId }: { readonly nodeId: string | undefined }): ReactNode {
  const mayManage = useMay()('node.manage');
  const queries = useQueryClient();
  const list = useQuery(dead(nodeId));
  const nodes = useQuery(nodeList);
  const rerun = useMutation({
    mutationFn: (id: string) => api.act('POST', `/api/deliveries/${id}/rerun`),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['deliveries'] }),
  });
  const rows = list.data?.deliveries ?? [];
  if (rows.length === 0) return null;
  const nameOf = (id: string) => nodes.data?.nodes.find((node) => node.id === id)?.name ?? id;
  return (
    <Section
      title="Undelivered notifications"
      note="Given up after many tries. Send them again once the subscriber answers."
    >
      {rerun.isError && <FailureNotice error={rerun.error} focus />}
      <Scroller label="Table of undelivered notifications" className="calls-table">
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">Node</th>
              <th scope="col">Since</th>
              <th scope="col" data-align="end">
                Tries
              </th>
              <th scope="col">Why</th>
              <th scope="col">
                <span className="visually-hidden">Act</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((delivery) => (
              <tr key={delivery.id}>
                <th scope="row">
                  <Own>{nameOf(delivery.nodeId)}</Own>
                </th>
                <td>
                  <Moment iso={delivery.createdAt} />
                </td>
                <td data-align="end">{delivery.attempts}</td>
                <td>{delivery.failure}</td>
                <td>
                  {mayManage && (
                    <Button
                      variant="default"
                      size="xs"
                      leftSection={<IconRefresh size={16} aria-hidden />}
                      loading={rerun.isPending && rerun.variables === delivery.id}
                      onClick={() => rerun.mutate(delivery.id)}
                    >
                      Send again
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
    </Section>
  );
}
