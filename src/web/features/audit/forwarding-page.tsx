import { Button, Skeleton } from '@mantine/core';
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { ForwardingReply, type TargetView } from '../../../features/atna/wire.ts';
import { api } from '../../app/api.ts';
import { useMay } from '../../app/session.tsx';
import { plural } from '../../app/words.ts';
import { Facts, Tag } from '../../ui/bits.tsx';
import { IconAlertTriangle, IconCircleCheck, IconCircleDashed, IconPlugConnected, IconPlus } from '../../ui/icons.ts';
import { Empty, FailureNotice, Notice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { Ago, Own } from '../../ui/text.tsx';
import { AuditTabs } from './audit-tabs.tsx';
import { TargetDialog } from './target-dialog.tsx';

const forwarding = queryOptions({
  queryKey: ['forwarding'],
  queryFn: ({ signal }) => api.get('/api/forwarding', ForwardingReply, { signal }),
  refetchInterval: 10_000,
});

/** What went wrong, what is unharmed, what to do; the events themselves always wait. */
const FAILURES: Readonly<Record<NonNullable<TargetView['failure']>, string>> = {
  refused: 'Nobody listens at that address and port. Is the receiver running?',
  unreachable: 'There is no way to that address. Check the name and the network.',
  timeout: 'The receiver does not answer in time.',
  stalled: 'The receiver is connected and takes nothing.',
  certificate: 'The receiver’s certificate is not trusted, has expired, or is for another name.',
  identity: 'The receiver does not accept this server’s certificate, or wants one.',
  closed: 'The receiver ends the connection before it has taken everything.',
  changed:
    'Somebody wrote to this receiver in the database. Nothing is sent to it. Check its address, then save it anew or remove it.',
  answer: 'The receiver answers that it cannot take the events.',
  internal: 'Something failed on this server; its own log says what.',
};

/** Systems that get a copy of the log, and how far they are. */
export function ForwardingPage(): ReactNode {
  const reply = useQuery(forwarding);
  const may = useMay();
  const [editing, setEditing] = useState<TargetView | 'new'>();
  const manages = may('settings.manage');
  return (
    <Page
      title="Forwarding"
      sentence="Other audit repositories that get a copy of every event, in order (IHE ATNA). What cannot be sent waits in the log."
      action={
        manages && (
          <Button leftSection={<IconPlus size={17} aria-hidden />} onClick={() => setEditing('new')}>
            Add a receiver
          </Button>
        )
      }
    >
      <AuditTabs />
      {reply.isPending && <Skeleton height={160} radius="md" />}
      {reply.isError && <FailureNotice error={reply.error} onRetry={() => void reply.refetch()} />}
      {reply.data?.targets.length === 0 && (
        <Empty icon={<IconPlugConnected size={24} />} title="The log stays here">
          <p>
            A ministry or a security team may want a copy in their own audit repository. Careseal speaks syslog over TLS
            (RFC 5425), TCP and UDP with DICOM messages, and FHIR.
          </p>
        </Empty>
      )}
      {reply.data && reply.data.targets.length > 0 && !reply.data.identity && (
        <Notice tone="info" title="No client certificate is set up">
          <p>
            Receivers that ask for one will refuse. Set <code>atnaCertificateFile</code> and <code>atnaKeyFile</code>.
          </p>
        </Notice>
      )}
      <ul className="alerts" aria-label="Receivers of the log">
        {reply.data?.targets.map((target) => (
          <TargetCard key={target.id} target={target} manages={manages} onEdit={() => setEditing(target)} />
        ))}
      </ul>
      {editing !== undefined && (
        <TargetDialog target={editing === 'new' ? undefined : editing} onClose={() => setEditing(undefined)} />
      )}
    </Page>
  );
}

interface TargetCardProps {
  readonly target: TargetView;
  readonly manages: boolean;
  readonly onEdit: () => void;
}

const PROTOCOLS = {
  tls: 'syslog over TLS',
  tcp: 'syslog over TCP, not encrypted',
  udp: 'syslog over UDP, not encrypted, may lose events',
  fhir: 'FHIR over HTTPS',
} as const;

function TargetCard({ target, manages, onEdit }: TargetCardProps): ReactNode {
  const queries = useQueryClient();
  const again = (): Promise<void> => queries.invalidateQueries({ queryKey: ['forwarding'] });
  const { id, waiting, delivered, skipped, deliveredAt, failure } = target;
  const { name, protocol, host, port, path, authorities, filter } = target;
  const settings = { name, protocol, host, port, path, authorities, filter };
  const pause = useMutation({
    mutationFn: () => api.act('PUT', `/api/forwarding/${id}`, { ...settings, paused: !target.paused }),
    onSuccess: again,
  });
  const remove = useMutation({ mutationFn: () => api.act('DELETE', `/api/forwarding/${id}`), onSuccess: again });
  const [sure, setSure] = useState(false);
  const events = target.filter.events.length === 0 ? 'every event' : target.filter.events.join(', ');
  return (
    <li className="alert" data-open={failure !== undefined}>
      <div className="alert-head">
        <h2>
          <Own>{target.name}</Own>
        </h2>
        <TargetState target={target} />
      </div>
      {failure !== undefined && <p>{FAILURES[failure]} The events wait and are not lost.</p>}
      <Facts
        facts={[
          ['Where', `${target.host}:${target.port}${target.path}, ${PROTOCOLS[target.protocol]}`],
          ['What', `${events}${target.filter.outcome === 'failure' ? ', refused and failed ones only' : ''}`],
          ['Waiting', plural(waiting, 'event of the log', 'events of the log')],
          [
            'Delivered',
            <span key="delivered">
              {delivered.toLocaleString()}
              {deliveredAt !== undefined && (
                <>
                  , last <Ago iso={deliveredAt} />
                </>
              )}
            </span>,
          ],
          skipped === 0 ? undefined : ['Could not be carried', `${skipped.toLocaleString()}; each is in the log`],
        ]}
      />
      {(pause.isError || remove.isError) && <FailureNotice error={pause.error ?? remove.error} focus />}
      {manages && (
        <div className="row">
          <Button variant="default" size="xs" onClick={onEdit}>
            Change
          </Button>
          <Button variant="default" size="xs" loading={pause.isPending} onClick={() => pause.mutate()}>
            {target.paused ? 'Go on' : 'Pause'}
          </Button>
          <Button
            variant="default"
            size="xs"
            loading={remove.isPending}
            onClick={() => (sure ? remove.mutate() : setSure(true))}
          >
            {sure ? 'Really remove it' : 'Remove'}
          </Button>
        </div>
      )}
    </li>
  );
}

function TargetState({ target }: { readonly target: TargetView }): ReactNode {
  if (target.paused) {
    return (
      <Tag tone="quiet" icon={<IconCircleDashed aria-hidden />}>
        paused
      </Tag>
    );
  }
  if (target.failingSince !== undefined) {
    return (
      <Tag tone="amber" icon={<IconAlertTriangle aria-hidden />}>
        takes nothing since <Ago iso={target.failingSince} />
      </Tag>
    );
  }
  return (
    <Tag tone="accent" icon={<IconCircleCheck aria-hidden />}>
      {target.waiting === 0 ? 'up to date' : 'sending'}
    </Tag>
  );
}
