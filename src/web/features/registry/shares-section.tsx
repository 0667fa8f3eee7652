import { Button, Select, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { sharesReply } from '../../../features/registry/wire-shares.ts';
import { api } from '../../app/api.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { IconPlus } from '../../ui/icons.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import { Moment, Own } from '../../ui/text.tsx';
import { organisationChoices } from '../identity/rights-queries.ts';
import '../identity/rights.css';

/** With which other organisations the client is shared, for those who have a record of it. */
export function SharesSection({ clientId }: { readonly clientId: string }): ReactNode {
  const [asking, setAsking] = useState<'share' | { readonly end: string }>();
  const shares = useQuery({
    queryKey: ['client', clientId, 'shares'],
    queryFn: ({ signal }) => api.get(`/api/clients/${clientId}/shares`, sharesReply, { signal }),
  });
  if (!shares.isSuccess || (shares.data.shares.length === 0 && !shares.data.mayShare)) return null;
  return (
    <Section
      title="Shared with"
      note="Organisations that see this client without a record of their own. Those with a record see it anyway."
      aside={
        shares.data.mayShare && (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPlus size={16} aria-hidden />}
            onClick={() => setAsking('share')}
          >
            Share
          </Button>
        )
      }
    >
      {shares.data.shares.length === 0 && <p className="soft">Nobody else.</p>}
      <ul className="cards">
        {shares.data.shares.map((one) => (
          <li key={one.organisation.id}>
            <div>
              <strong>
                <Own>{one.organisation.name}</Own>
              </strong>
              <p>
                <Own>{one.reason}</Own>
              </p>
              <p className="soft small">
                <Own>{one.by}</Own>, <Moment iso={one.at} />
              </p>
            </div>
            {shares.data.mayShare && (
              <Button
                size="xs"
                variant="default"
                aria-label={`End it: ${one.organisation.name}`}
                onClick={() => setAsking({ end: one.organisation.id })}
              >
                End it
              </Button>
            )}
          </li>
        ))}
      </ul>
      {asking !== undefined && (
        <ShareDialog
          clientId={clientId}
          ending={asking === 'share' ? undefined : asking.end}
          onClose={() => setAsking(undefined)}
        />
      )}
    </Section>
  );
}

interface ShareDialogProps {
  readonly clientId: string;
  readonly ending: string | undefined;
  readonly onClose: () => void;
}

function ShareDialog({ clientId, ending, onClose }: ShareDialogProps): ReactNode {
  const queries = useQueryClient();
  const [organisationId, setOrganisationId] = useState<string | null>(ending ?? null);
  const [text, setText] = useState('');
  const [reason, setReason] = useState('');
  const [tried, setTried] = useState(false);
  const choices = useQuery({ ...organisationChoices(text), enabled: ending === undefined });
  const act = useMutation({
    mutationFn: () =>
      api.act('POST', `/api/clients/${clientId}/shares${ending === undefined ? '' : '/end'}`, {
        organisationId,
        reason,
      }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['client', clientId] });
      onClose();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (organisationId !== null && reason.trim().length >= 10) act.mutate();
  };
  return (
    <Dialog opened onClose={onClose} title={ending === undefined ? 'Share this client' : 'End the sharing'}>
      <form className="stack" onSubmit={submit} noValidate>
        {ending === undefined && (
          <Select
            label="With which organisation"
            searchable
            value={organisationId}
            onSearchChange={setText}
            data={(choices.data?.organisations ?? []).map((one) => ({ value: one.id, label: one.name }))}
            nothingFoundMessage="No name has these words"
            error={tried && organisationId === null ? 'Choose an organisation.' : undefined}
            onChange={setOrganisationId}
          />
        )}
        <Textarea
          label="Why"
          minRows={3}
          value={reason}
          maxLength={500}
          error={tried && reason.trim().length < 10 ? 'Say why in a sentence.' : undefined}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {act.isError && <FailureNotice error={act.error} focus />}
        <div className="dialog-actions">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={act.isPending}>
            {ending === undefined ? 'Share' : 'End it'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
