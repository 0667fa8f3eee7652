import { Button, Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { ReceivedOneReply } from '../../../features/atna/wire-received.ts';
import { Exact, Facts } from '../../ui/bits.tsx';
import { IconAlertTriangle, IconCircleCheck } from '../../ui/icons.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { SideDrawer } from '../../ui/side-drawer.tsx';
import { bytesText, Moment, Own } from '../../ui/text.tsx';
import { receivedOne } from './received-queries.ts';
import { Outcome, titleOf, WAYS } from './received-words.tsx';

export interface ReceivedDrawerProps {
  readonly id: string;
  /** What a node is called, by its id. */
  readonly nameOf: (nodeId: string) => string | undefined;
  readonly onClose: () => void;
  readonly onSource: (source: string) => void;
}

/** One received event whole: who proved to have sent it, what it says, and the message as it came. */
export function ReceivedDrawer({ id, nameOf, onClose, onSource }: ReceivedDrawerProps): ReactNode {
  const reply = useQuery(receivedOne(id));
  return (
    <SideDrawer title={reply.data ? titleOf(reply.data.event) : 'Event'} onClose={onClose} width="40rem">
      {reply.isPending && <Skeleton height={240} radius="md" />}
      {reply.isError && <FailureNotice error={reply.error} onRetry={() => void reply.refetch()} />}
      {reply.data && (
        <>
          <Sender reply={reply.data} nameOf={nameOf} />
          <Said reply={reply.data} />
          {reply.data.event.source !== undefined && (
            <div className="row drawer-actions">
              <Button variant="default" size="xs" onClick={() => onSource(reply.data.event.source ?? '')}>
                Everything from this source
              </Button>
            </div>
          )}
          <Content reply={reply.data} />
        </>
      )}
    </SideDrawer>
  );
}

function Sender({
  reply: { event },
  nameOf,
}: {
  readonly reply: ReceivedOneReply;
  readonly nameOf: ReceivedDrawerProps['nameOf'];
}): ReactNode {
  if (event.altered === true) return <Altered />;
  const proven = event.nodeId !== undefined;
  const Icon = proven ? IconCircleCheck : IconAlertTriangle;
  return (
    <div className="proof" data-state={proven ? 'ok' : 'waiting'}>
      <Icon size={20} stroke={1.7} aria-hidden />
      <div>
        <strong>{proven ? 'The sender proved who it is' : 'Nobody proved to have sent this'}</strong>
        <p>
          {event.nodeId === undefined ? (
            'Over UDP anybody can write any name and any address. Believe it as far as you trust the network.'
          ) : (
            <>
              It came from <Own strong>{nameOf(event.nodeId) ?? event.nodeId}</Own>, which this server knows by its
              certificate or token. What the event says is that system’s word.
            </>
          )}
        </p>
      </div>
    </div>
  );
}

/** Nothing else of it is shown: whoever wrote to the database may have written all of it. */
function Altered(): ReactNode {
  return (
    <div className="proof" data-state="bad" role="status">
      <IconAlertTriangle size={20} stroke={1.7} aria-hidden />
      <div>
        <strong>Somebody changed this in the database after it came</strong>
        <p>
          Neither who sent it nor what it said is known any more, and its times may be wrong. The log still holds that
          something came. Run <code>careseal audit verify</code>, keep this database as it is, and compare it with a
          backup.
        </p>
      </div>
    </div>
  );
}

function Said({ reply: { event, message } }: { readonly reply: ReceivedOneReply }): ReactNode {
  const named = (label: string, value: string | undefined): readonly [string, ReactNode] | undefined =>
    value === undefined ? undefined : [label, <Own key={label}>{value}</Own>];
  return (
    <Facts
      facts={[
        ['When, as it says', <Moment key="said" iso={event.recorded} seconds />],
        ['Came here', <Moment key="came" iso={event.receivedAt} seconds />],
        ['Over', `${WAYS[event.transport]}${message === undefined ? '' : `, from ${message.address}`}`],
        named('Source, as it says', event.source),
        named('Who, as it says', event.who),
        event.understood && event.erased !== true ? ['Outcome', <Outcome key="outcome" event={event} />] : undefined,
        message === undefined
          ? undefined
          : [
              'Size',
              `${bytesText(message.bytes)}${message.truncated ? '; its end was cut off on the way and is gone' : ''}`,
            ],
      ]}
    />
  );
}

function Content({ reply: { event, auditEvent, message } }: { readonly reply: ReceivedOneReply }): ReactNode {
  return (
    <>
      {event.erased === true && (
        <p className="soft">
          What this event said was erased, by law or at somebody’s wish. That it came, when and from whom stays, and the
          log says why: look for “Audit content erased”.
        </p>
      )}
      {!event.understood && event.altered !== true && event.erased !== true && (
        <p className="soft">
          No audit event was found in this message. It is kept as it came, for whoever has to look into it.
        </p>
      )}
      {auditEvent !== undefined && (
        <details className="fhir">
          <summary>As FHIR AuditEvent</summary>
          <Exact text={JSON.stringify(auditEvent, null, 2)} what="the AuditEvent" lines />
        </details>
      )}
      {message !== undefined && (
        <details className="fhir" open={!event.understood}>
          <summary>The message as it came</summary>
          <Exact text={message.text} what="the message" lines />
        </details>
      )}
    </>
  );
}
