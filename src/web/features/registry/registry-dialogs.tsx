import { Checkbox } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import {
  type ClientDetailReply,
  neverLinkReply,
  undoEntryReply,
  unlinkReply,
  unmergeReply,
} from '../../../features/registry/wire.ts';
import { api } from '../../app/api.ts';
import { ReasonDialog } from '../../ui/reason-dialog.tsx';

interface DialogProps {
  readonly detail: ClientDetailReply;
  readonly onClose: () => void;
  /** Tells on the page what was done. */
  readonly onDone: (words: ReactNode) => void;
}

function useForgetClients(): () => Promise<void> {
  const queries = useQueryClient();
  return async () => {
    await Promise.all([
      queries.invalidateQueries({ queryKey: ['clients'] }),
      queries.invalidateQueries({ queryKey: ['reviews'] }),
      queries.invalidateQueries({ queryKey: ['home'] }),
    ]);
  };
}

function nameOf(detail: ClientDetailReply, sourceId: string): string {
  const source = detail.sources.find((one) => one.id === sourceId);
  return source ? [source.domainLabel, source.key].filter((part) => part !== undefined).join(' ') : 'this record';
}

/** Breaks a link: the record leaves this person and stands alone. */
export function TakeOutDialog({
  detail,
  sourceId,
  onClose,
  onDone,
}: DialogProps & { readonly sourceId: string }): ReactNode {
  const forget = useForgetClients();
  const others = detail.sources.filter((source) => source.id !== sourceId);
  const only = others.length === 1 ? others[0] : undefined;
  const [never, setNever] = useState(true);
  return (
    <ReasonDialog
      title="Take this record out of the person"
      confirm="Take it out"
      draftKey={`take-out ${sourceId}`}
      placeholder="For example: twins, the clinic confirmed two children"
      onClose={onClose}
      act={async (reason) => {
        const answer = await api.send('POST', `/api/clients/${detail.client.id}/unlink`, unlinkReply, {
          sourceId,
          reason,
        });
        if (only && never) {
          await api.send('POST', '/api/never-link', neverLinkReply, { a: sourceId, b: only.id, reason });
        }
        await forget();
        onDone(
          <p>
            Taken out. The record is now a client of its own:{' '}
            <Link to="/clients/$id" params={{ id: answer.newClientId }}>
              open it
            </Link>
            . It can be taken back in the history below.
          </p>,
        );
      }}
    >
      <p>
        The record of <strong>{nameOf(detail, sourceId)}</strong> becomes a client of its own. What is known about this
        person is put together again from the {others.length === 1 ? 'other record' : `other ${others.length} records`}.
        Nothing is deleted.
      </p>
      {only && (
        <Checkbox
          label="Never link these two again"
          description="Otherwise the same rules may link them when one of them changes."
          checked={never}
          onChange={(event) => setNever(event.currentTarget.checked)}
        />
      )}
    </ReasonDialog>
  );
}

export function NeverLinkDialog({
  detail,
  pair,
  onClose,
  onDone,
}: DialogProps & { readonly pair: { readonly a: string; readonly b: string } }): ReactNode {
  const forget = useForgetClients();
  return (
    <ReasonDialog
      title="Never link these two records"
      confirm="Never link them"
      draftKey={`never ${pair.a} ${pair.b}`}
      placeholder="For example: father and son of the same name"
      onClose={onClose}
      act={async (reason) => {
        await api.send('POST', '/api/never-link', neverLinkReply, { a: pair.a, b: pair.b, reason });
        await forget();
        onDone(<p>Kept in the ledger. No rule and no score links these two any more.</p>);
      }}
    >
      <p>
        <strong>{nameOf(detail, pair.a)}</strong> and <strong>{nameOf(detail, pair.b)}</strong> are kept apart from now
        on, whatever a later model says. If they are linked now, they are separated.
      </p>
    </ReasonDialog>
  );
}

export function UnmergeDialog({ detail, onClose, onDone }: DialogProps): ReactNode {
  const forget = useForgetClients();
  return (
    <ReasonDialog
      title="Undo the last merge"
      confirm="Undo the merge"
      draftKey={`unmerge ${detail.client.id}`}
      onClose={onClose}
      act={async (reason) => {
        const answer = await api.send('POST', `/api/clients/${detail.client.id}/unmerge`, unmergeReply, { reason });
        await forget();
        const other = answer.clientIds.find((id) => id !== detail.client.id);
        onDone(
          <p>
            The merge is undone.{' '}
            {other !== undefined && (
              <Link to="/clients/$id" params={{ id: other }}>
                Open the other client
              </Link>
            )}
          </p>,
        );
      }}
    >
      <p>The records that came with the last merge go back to the client they came from, which becomes active again.</p>
    </ReasonDialog>
  );
}

/** Takes back a record taken out, or a pair set apart for ever. */
export function UndoEntryDialog({
  detail,
  entryId,
  onClose,
  onDone,
}: DialogProps & { readonly entryId: string }): ReactNode {
  const forget = useForgetClients();
  return (
    <ReasonDialog
      title="Take this decision back"
      confirm="Take it back"
      draftKey={`undo ${entryId}`}
      placeholder="For example: the wrong record was chosen"
      onClose={onClose}
      act={async (reason) => {
        await api.send('POST', `/api/clients/${detail.client.id}/undo`, undoEntryReply, { entryId, reason });
        await forget();
        onDone(<p>Taken back. Both decisions stay in the history.</p>);
      }}
    >
      <p>
        Everything becomes as it was before that decision, as far as nobody has built on it since. Nothing is removed
        from the history.
      </p>
    </ReasonDialog>
  );
}
