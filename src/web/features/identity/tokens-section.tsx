import { Button, Checkbox, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { TOKEN_PERMISSIONS, TokenMade } from '../../../features/identity/wire-organisations.ts';
import { api } from '../../app/api.ts';
import { useMay } from '../../app/session.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Exact } from '../../ui/bits.tsx';
import { IconPlus } from '../../ui/icons.ts';
import { ListSkeleton } from '../../ui/list-table.tsx';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import { permissionWords } from './permission-words.ts';
import { tokenList } from './rights-queries.ts';
import { TokenWords } from './token-words.tsx';
import './rights.css';

/** Tokens by which one's own scripts act as oneself. */
export function TokensSection(): ReactNode {
  const may = useMay();
  const queries = useQueryClient();
  const [making, setMaking] = useState(false);
  const list = useQuery(tokenList);
  const end = useMutation({
    mutationFn: (id: string) => api.act('DELETE', `/api/personal-tokens/${id}`),
    onSuccess: () => queries.invalidateQueries({ queryKey: tokenList.queryKey }),
  });
  if (!may('client.read')) return null;
  return (
    <Section
      title="Tokens for scripts"
      note="A script that sends a token acts as you over FHIR, with what the token names and until it ends."
      aside={
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlus size={16} aria-hidden />}
          onClick={() => setMaking(true)}
        >
          Make a token
        </Button>
      }
    >
      {list.isPending && <ListSkeleton rows={2} />}
      {list.isError && <FailureNotice error={list.error} onRetry={() => void list.refetch()} />}
      {end.isError && <FailureNotice error={end.error} focus />}
      {list.isSuccess && list.data.tokens.length === 0 && <p className="soft">You have none.</p>}
      <ul className="cards">
        {list.data?.tokens.map((one) => (
          <li key={one.id}>
            <TokenWords token={one} />
            {one.state === 'active' && (
              <Button
                variant="default"
                size="xs"
                aria-label={`End it: the token ${one.label}`}
                loading={end.isPending && end.variables === one.id}
                onClick={() => end.mutate(one.id)}
              >
                End it
              </Button>
            )}
          </li>
        ))}
      </ul>
      {making && <TokenDialog onClose={() => setMaking(false)} />}
    </Section>
  );
}

function TokenDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const may = useMay();
  const queries = useQueryClient();
  const [label, setLabel] = useState('');
  const [permissions, setPermissions] = useState<string[]>(['client.read']);
  const [days, setDays] = useState('30');
  const [tried, setTried] = useState(false);
  const make = useMutation({
    mutationFn: () => api.send('POST', '/api/personal-tokens', TokenMade, { label, permissions, days: Number(days) }),
    onSuccess: () => queries.invalidateQueries({ queryKey: tokenList.queryKey }),
  });
  const fits = label.trim() !== '' && permissions.length > 0;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (fits) make.mutate();
  };
  if (make.data) return <Made secret={make.data.secret} onClose={onClose} />;
  return (
    <Dialog opened onClose={onClose} title="Make a token">
      <form className="stack" onSubmit={submit} noValidate>
        <TextInput
          data-autofocus
          label="What it is for"
          placeholder="nightly export"
          value={label}
          maxLength={60}
          error={tried && label.trim() === '' ? 'Type what it is for.' : undefined}
          onChange={(event) => setLabel(event.currentTarget.value)}
        />
        <Checkbox.Group
          label="It may"
          value={permissions}
          onChange={setPermissions}
          error={tried && permissions.length === 0 ? 'Tick at least one.' : undefined}
        >
          <div className="permissions">
            {TOKEN_PERMISSIONS.filter((permission) => may(permission)).map((permission) => (
              <Checkbox key={permission} value={permission} label={permissionWords(permission)} />
            ))}
          </div>
        </Checkbox.Group>
        <Select
          label="It ends after"
          allowDeselect={false}
          value={days}
          data={['1', '7', '30', '90'].map((value) => ({ value, label: value === '1' ? 'one day' : `${value} days` }))}
          onChange={(value) => setDays(value ?? '30')}
        />
        {make.isError && <FailureNotice error={make.error} focus />}
        <div className="dialog-actions">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={make.isPending}>
            Make it
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Made({ secret, onClose }: { readonly secret: string; readonly onClose: () => void }): ReactNode {
  return (
    <Dialog opened onClose={onClose} title="Your new token" size="lg" closeOnClickOutside={false}>
      <div className="stack">
        <Notice tone="amber">
          <p>It is shown this once. Whoever has it acts as you: keep it where only your script reads it.</p>
        </Notice>
        <Exact text={secret} what="the token" />
        <p className="soft small">
          The script sends it as <code>Authorization: Bearer …</code> to <code>/fhir</code> at this address.
        </p>
        <div className="dialog-actions">
          <Button onClick={onClose}>I have kept it</Button>
        </div>
      </div>
    </Dialog>
  );
}
