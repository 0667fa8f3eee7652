import { Modal, Radio, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { type ClientDetailReply, type ClientSummary, mergeReply } from '../../../features/registry/wire.ts';
import { api } from '../../app/api.ts';
import { plural } from '../../app/words.ts';
import { IconSearch } from '../../ui/icons.ts';
import { ReasonDialog } from '../../ui/reason-dialog.tsx';
import { CalendarDate, Own } from '../../ui/text.tsx';
import { clientSearch } from './client-queries.ts';

export interface MergeDialogProps {
  readonly client: ClientDetailReply['client'];
  readonly onClose: () => void;
}

/** First the other client, then which of the two remains, then why. */
export function MergeDialog({ client, onClose }: MergeDialogProps): ReactNode {
  const [other, setOther] = useState<ClientSummary>();
  if (other) return <MergeReason client={client} other={other} onClose={onClose} />;
  return (
    <Modal opened onClose={onClose} title="Merge with which client?" size="lg">
      <PickClient except={client.id} onPick={setOther} />
    </Modal>
  );
}

interface PickClientProps {
  readonly except: string;
  readonly onPick: (client: ClientSummary) => void;
}

function PickClient({ except, onPick }: PickClientProps): ReactNode {
  const [text, setText] = useState('');
  const [settled] = useDebouncedValue(text.trim(), 150);
  const query = useQuery({
    ...clientSearch(settled, 10),
    enabled: settled.length >= 2,
    placeholderData: keepPreviousData,
  });
  const found = settled.length < 2 ? [] : (query.data?.clients ?? []).filter((one) => one.id !== except && one.active);
  return (
    <div className="pick">
      <TextInput
        data-autofocus
        label="Find the other client"
        placeholder="Name, birth date, identifier or telephone"
        autoComplete="off"
        leftSection={<IconSearch size={17} aria-hidden />}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <ul aria-label="Clients found">
        {found.map((one) => (
          <li key={one.id}>
            <button type="button" onClick={() => onPick(one)}>
              <Own strong>{one.name}</Own>
              <span className="soft">
                {one.birthDate !== undefined && <CalendarDate iso={one.birthDate} />} ·{' '}
                {plural(one.sources, 'record', 'records')}
                {one.identifiers[0] && ` · ${one.identifiers[0].label} ${one.identifiers[0].value}`}
              </span>
            </button>
          </li>
        ))}
      </ul>
      <p className="soft small" role="status">
        {settled.length < 2
          ? 'Type at least two letters.'
          : query.isSuccess && found.length === 0
            ? 'Nobody else found.'
            : ''}
      </p>
    </div>
  );
}

interface MergeReasonProps extends MergeDialogProps {
  readonly other: ClientSummary;
}

function MergeReason({ client, other, onClose }: MergeReasonProps): ReactNode {
  const [survivor, setSurvivor] = useState(client.id);
  const queries = useQueryClient();
  const navigate = useNavigate();
  return (
    <ReasonDialog
      title="Merge two clients"
      confirm="Merge"
      draftKey={`merge ${client.id} ${other.id}`}
      placeholder="For example: same person, registered twice under two spellings"
      onClose={onClose}
      act={async (reason) => {
        const answer = await api.send('POST', '/api/clients/merge', mergeReply, {
          survivor,
          other: survivor === client.id ? other.id : client.id,
          reason,
        });
        await queries.invalidateQueries({ queryKey: ['clients'] });
        await queries.invalidateQueries({ queryKey: ['reviews'] });
        if ('reviewId' in answer) await navigate({ to: '/reviews/$id', params: { id: answer.reviewId } });
        else await navigate({ to: '/clients/$id', params: { id: answer.clientId } });
      }}
    >
      <p>All records come together under one client. The other id redirects to it for ever. This can be undone.</p>
      <Radio.Group label="Which id remains?" value={survivor} onChange={setSurvivor} mb="md">
        <div className="stack pick-survivor">
          <Radio value={client.id} label={<Own>{client.name}</Own>} description="the client you came from" />
          <Radio
            value={other.id}
            label={<Own>{other.name}</Own>}
            description={plural(other.sources, 'source record', 'source records')}
          />
        </div>
      </Radio.Group>
    </ReasonDialog>
  );
}
