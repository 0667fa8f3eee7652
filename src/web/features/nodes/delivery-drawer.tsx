import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Facts } from '../../ui/bits.tsx';
import { IconRefresh } from '../../ui/icons.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { SideDrawer } from '../../ui/side-drawer.tsx';
import { Moment, Own } from '../../ui/text.tsx';
import { delivery, failureInWords, useRerun } from './delivery-queries.ts';

export interface DeliveryDrawerProps {
  readonly id: string;
  readonly nodeName: string;
  readonly mayManage: boolean;
  readonly onClose: () => void;
}

/** One dead letter: where it was to go, why it did not, and whom it is about for those who may see people. */
export function DeliveryDrawer({ id, nodeName, mayManage, onClose }: DeliveryDrawerProps): ReactNode {
  const one = useQuery(delivery(id));
  const rerun = useRerun();
  return (
    <SideDrawer title="Undelivered notification" onClose={onClose}>
      {one.isError && <FailureNotice error={one.error} onRetry={() => void one.refetch()} />}
      {rerun.isError && <FailureNotice error={rerun.error} focus />}
      {one.data && (
        <Facts
          facts={[
            ['For', <Own key="for">{nodeName}</Own>],
            ['At', <code key="at">{one.data.endpointHost}</code>],
            ['As', one.data.channel === 'message' ? 'message (ITI-93)' : 'call of a web hook'],
            ['Why not', `${failureInWords(one.data.failure)}`],
            ['Tries', one.data.attempts.toLocaleString()],
            ['Since', <Moment key="since" iso={one.data.createdAt} />],
            ...(one.data.doneAt === undefined
              ? []
              : [['Given up', <Moment key="done" iso={one.data.doneAt} />] as [string, ReactNode]]),
          ]}
        />
      )}
      <p className="soft">What is sent is the record as it is then, not as it was when it failed.</p>
      <div className="row drawer-actions">
        {one.data?.clientId !== undefined && (
          <Button component={Link} to={`/clients/${one.data.clientId}`} variant="default">
            The person
          </Button>
        )}
        {mayManage && (
          <Button
            leftSection={<IconRefresh size={16} aria-hidden />}
            loading={rerun.isPending}
            onClick={() => rerun.mutate({ id }, { onSuccess: onClose })}
          >
            Send again
          </Button>
        )}
      </div>
    </SideDrawer>
  );
}
