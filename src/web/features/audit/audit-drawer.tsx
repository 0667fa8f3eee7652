import { Button, Skeleton } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { AuditEventReply } from '../../../features/audit/wire.ts';
import { api } from '../../app/api.ts';
import { saveBlob } from '../../app/save-file.ts';
import { useMay } from '../../app/session.tsx';
import { Exact, Facts } from '../../ui/bits.tsx';
import { IconAlertTriangle, IconBinaryTree2, IconCircleDashed, IconDownload } from '../../ui/icons.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { SideDrawer } from '../../ui/side-drawer.tsx';
import { Moment, Own } from '../../ui/text.tsx';
import { auditEvent } from './audit-queries.ts';

const KIND_WORDS = {
  user: 'person',
  node: 'node',
  operator: 'command line of the server',
  system: 'Careseal itself',
  anonymous: 'nobody signed in',
} as const;

const DOOR_WORDS = {
  users: 'the users’ door',
  nodes: 'the nodes’ door',
  operations: 'the operations door',
  'command-line': 'the command line',
  background: 'a background job',
} as const;

const OUTCOMES = {
  success: 'done',
  'minor-failure': 'refused',
  'serious-failure': 'failed',
} as const;

export interface AuditDrawerProps {
  readonly id: string;
  readonly onClose: () => void;
  readonly onFilter: (part: { actor?: string; client?: string; event?: string }) => void;
}

/** One event: in words, as FHIR, and its place in the tree. */
export function AuditDrawer({ id, onClose, onFilter }: AuditDrawerProps): ReactNode {
  const reply = useQuery(auditEvent(id));
  return (
    <SideDrawer title={reply.data?.event.title ?? 'Event'} onClose={onClose} width="40rem">
      {reply.isPending && <Skeleton height={240} radius="md" />}
      {reply.isError && <FailureNotice error={reply.error} onRetry={() => void reply.refetch()} />}
      {reply.data && <EventView reply={reply.data} onFilter={onFilter} />}
    </SideDrawer>
  );
}

interface EventViewProps {
  readonly reply: AuditEventReply;
  readonly onFilter: AuditDrawerProps['onFilter'];
}

function EventView({ reply, onFilter }: EventViewProps): ReactNode {
  const { event } = reply;
  const clients = event.client ?? [];
  return (
    <>
      <Proof proof={reply.proof} />
      <Facts
        facts={[
          ['When', <Moment key="when" iso={event.recorded} seconds />],
          [
            'Who',
            <span key="who">
              <Own strong>{event.actor.name}</Own> <span className="soft">({KIND_WORDS[event.actor.kind]})</span>
            </span>,
          ],
          ['Outcome', `${OUTCOMES[event.outcome]}${event.reason === undefined ? '' : `: ${event.reason}`}`],
          event.door === undefined
            ? undefined
            : ['Through', `${DOOR_WORDS[event.door]}${event.address === undefined ? '' : `, from ${event.address}`}`],
          clients.length === 0 ? undefined : ['Clients', <ClientLinks key="clients" clients={clients} />],
          event.entities === undefined || event.entities.length === 0
            ? undefined
            : [
                'Touched',
                <ul key="entities" className="plain-list">
                  {event.entities.map((entity) => (
                    <li key={entity}>
                      <code>{entity}</code>
                    </li>
                  ))}
                </ul>,
              ],
          ...Object.entries(event.detail ?? {}).map(([name, value]) => [name, <Own key={name}>{value}</Own>] as const),
          ['Event', <code key="event">{event.event}</code>],
          ['Request', <code key="request">{event.requestId}</code>],
        ]}
      />
      <div className="row drawer-actions">
        <Button variant="default" size="xs" onClick={() => onFilter({ actor: event.actor.id })}>
          Everything by this actor
        </Button>
        {clients.length === 1 && clients[0] !== undefined && (
          <Button variant="default" size="xs" onClick={() => onFilter({ client: clients[0] ?? '' })}>
            Everything about this client
          </Button>
        )}
        <Button variant="default" size="xs" onClick={() => onFilter({ event: event.event })}>
          Every event like this
        </Button>
      </div>
      {reply.proof !== undefined && reply.auditEvent !== undefined && <WithProof id={event.id} />}
      <details className="fhir">
        <summary>As FHIR AuditEvent</summary>
        {reply.auditEvent ? (
          <Exact text={JSON.stringify(reply.auditEvent, null, 2)} what="the AuditEvent" lines />
        ) : (
          <p className="soft">The content was erased; the leaf in the tree remains.</p>
        )}
      </details>
    </>
  );
}

/** The event as a file that proves itself to somebody who has the verifier and the key. */
function WithProof({ id }: { readonly id: string }): ReactNode {
  const save = useMutation({
    mutationFn: async () => {
      saveBlob(`audit-event-${id}.json`, await api.file('GET', `/api/audit/events/${id}/export`));
    },
  });
  return (
    <div className="with-proof">
      <Button
        variant="default"
        size="xs"
        leftSection={<IconDownload size={15} aria-hidden />}
        loading={save.isPending}
        onClick={() => save.mutate()}
      >
        Download with proof
      </Button>
      <p className="soft">
        For somebody outside: what the event says, its place in the tree and the signed head, checked by
        careseal-verify.html (under “What this means”). Whoever gets the file learns what it says.
      </p>
      {save.isError && <FailureNotice error={save.error} focus failed="The file could not be made." />}
    </div>
  );
}

function ClientLinks({ clients }: { readonly clients: readonly string[] }): ReactNode {
  const may = useMay();
  return (
    <ul className="plain-list">
      {clients.slice(0, 10).map((client) => (
        <li key={client}>
          {may('client.read') ? (
            <Link to="/clients/$id" params={{ id: client }}>
              <code>{client}</code>
            </Link>
          ) : (
            <code>{client}</code>
          )}
        </li>
      ))}
      {clients.length > 10 && <li className="soft">and {clients.length - 10} more</li>}
    </ul>
  );
}

function Proof({ proof }: { readonly proof: AuditEventReply['proof'] }): ReactNode {
  if (!proof) {
    return (
      <div className="proof" data-state="waiting" role="status">
        <IconCircleDashed size={20} aria-hidden />
        <div>
          <strong>Kept, on its way into the log</strong>
          <p>It is stored safely. Within a second or two it gets its number in the tree.</p>
        </div>
      </div>
    );
  }
  const Icon = proof.ok ? IconBinaryTree2 : IconAlertTriangle;
  return (
    <div className="proof" data-state={proof.ok ? 'ok' : 'bad'} role="status">
      <Icon size={20} stroke={1.7} aria-hidden />
      <div>
        <strong>{proof.ok ? 'In the log' : 'The proof does not hold'}</strong>
        <p>
          {proof.ok
            ? `Number ${proof.index.toLocaleString()} of ${proof.size.toLocaleString()}, checked just now against the signed head.`
            : 'The event does not fit the signed head. Tell whoever runs the server, and change nothing until it is understood.'}
        </p>
        <details>
          <summary>The proof, for checking it elsewhere</summary>
          <Exact
            what="the proof"
            lines
            text={[
              `index ${proof.index}`,
              `size ${proof.size}`,
              `root ${proof.rootHash}`,
              `leaf ${proof.leaf}`,
              ...(proof.nonce === undefined ? [] : [`nonce ${proof.nonce}`]),
              ...proof.path.map((hash) => `path ${hash}`),
              '',
              proof.checkpoint,
            ].join('\n')}
          />
        </details>
      </div>
    </div>
  );
}
