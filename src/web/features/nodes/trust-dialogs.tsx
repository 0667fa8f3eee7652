import { Button, Modal, Select, Switch, TextInput, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { trustSchema, type WireForeignAuthority, type WireTrust } from '../../../features/nodes/wire-trust.ts';
import { api } from '../../app/api.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { Own } from '../../ui/text.tsx';
import { nodeList, trusted } from './node-queries.ts';
import './nodes.css';

/** Every change answers the whole list anew. */
export function useTrustChange<Input>(act: (input: Input) => Promise<WireTrust>, onDone?: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: (answer) => {
      queries.setQueryData(trusted.queryKey, answer);
      onDone?.();
    },
  });
}

export function AddAuthority({ onClose }: { readonly onClose: () => void }): ReactNode {
  const [name, setName] = useState('');
  const [certificate, setCertificate] = useState('');
  const [acceptLong, setAcceptLong] = useState(false);
  const [crlRequired, setCrlRequired] = useState(false);
  const add = useTrustChange(
    () => api.send('POST', '/api/trust/authorities', trustSchema, { name, certificate, acceptLong, crlRequired }),
    onClose,
  );
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    add.mutate(undefined);
  };
  return (
    <Modal opened onClose={onClose} title="Trust an authority" size="lg">
      <form className="node-form" onSubmit={submit} noValidate>
        <TextInput
          data-autofocus
          label="Name"
          description="What people call it, for example “Ministry of Health”."
          value={name}
          maxLength={100}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Textarea
          className="csr-text"
          label="Its certificate (PEM)"
          description="Of the authority that signs the systems’ certificates itself."
          placeholder="-----BEGIN CERTIFICATE-----"
          value={certificate}
          onChange={(event) => setCertificate(event.currentTarget.value)}
          autosize
          minRows={5}
          maxRows={12}
          spellCheck={false}
        />
        <Switch
          label="Refuse all of it while its list of revoked certificates is missing or over"
          checked={crlRequired}
          onChange={(event) => setCrlRequired(event.currentTarget.checked)}
        />
        <Switch
          label="Take certificates of more than two years"
          description="They are accepted for two years all the same."
          checked={acceptLong}
          onChange={(event) => setAcceptLong(event.currentTarget.checked)}
        />
        {add.isError && <FailureNotice error={add.error} focus />}
        <div className="dialog-actions">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={add.isPending} disabled={name.trim() === '' || certificate.trim() === ''}>
            Trust it
          </Button>
        </div>
      </form>
    </Modal>
  );
}

const ATTRIBUTES = [
  { value: 'cn', label: 'Common name (CN)' },
  { value: 'dns', label: 'DNS name' },
  { value: 'uri', label: 'URI' },
  { value: 'email', label: 'E-mail address' },
] as const;

export function AddRule({
  authority,
  onClose,
}: {
  readonly authority: WireForeignAuthority;
  readonly onClose: () => void;
}): ReactNode {
  const nodes = useQuery(nodeList);
  const [nodeId, setNodeId] = useState<string | null>(null);
  const [attribute, setAttribute] = useState<string>('cn');
  const [value, setValue] = useState('');
  const add = useTrustChange(
    () => api.send('POST', '/api/trust/rules', trustSchema, { authorityId: authority.id, nodeId, attribute, value }),
    onClose,
  );
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    add.mutate(undefined);
  };
  return (
    <Modal opened onClose={onClose} title="A name of this authority" size="md">
      <form className="node-form" onSubmit={submit} noValidate>
        <p className="section-note">
          A certificate of <Own strong>{authority.name}</Own> with exactly this name is this node.
        </p>
        <Select
          label="Kind of name"
          value={attribute}
          allowDeselect={false}
          data={[...ATTRIBUTES]}
          onChange={(chosen) => setAttribute(chosen ?? 'cn')}
        />
        <TextInput
          label="Name"
          value={value}
          maxLength={255}
          spellCheck={false}
          onChange={(event) => setValue(event.currentTarget.value)}
        />
        <Select
          label="Node"
          placeholder="Choose a node"
          searchable
          value={nodeId}
          data={(nodes.data?.nodes ?? [])
            .filter((node) => node.state !== 'revoked')
            .map((node) => ({ value: node.id, label: node.name }))}
          onChange={setNodeId}
        />
        {add.isError && <FailureNotice error={add.error} focus />}
        <div className="dialog-actions">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={add.isPending} disabled={nodeId === null || value.trim() === ''}>
            Add
          </Button>
        </div>
      </form>
    </Modal>
  );
}

/** Where an authority publishes its lists of revoked certificates. */
export function ListAddress({
  authority,
  onClose,
}: {
  readonly authority: WireForeignAuthority;
  readonly onClose: () => void;
}): ReactNode {
  const [url, setUrl] = useState(authority.crlUrl ?? '');
  const change = useTrustChange(
    (wanted: string | null) =>
      api.send('POST', `/api/trust/authorities/${authority.id}/crl-url`, trustSchema, { url: wanted }),
    onClose,
  );
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    change.mutate(url.trim());
  };
  return (
    <Modal opened onClose={onClose} title="Fetch its list of revoked certificates" size="md">
      <form className="node-form" onSubmit={submit} noValidate>
        <TextInput
          data-autofocus
          label="Address of the list"
          description="http or https. It is fetched now, and then every hour."
          placeholder="http://ca.example.org/ca.crl"
          value={url}
          maxLength={2_000}
          spellCheck={false}
          onChange={(event) => setUrl(event.currentTarget.value)}
        />
        {change.isError && <FailureNotice error={change.error} focus />}
        <div className="dialog-actions">
          {authority.crlUrl !== undefined && (
            <Button variant="default" loading={change.isPending} onClick={() => change.mutate(null)}>
              Fetch no longer
            </Button>
          )}
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={change.isPending} disabled={url.trim() === ''}>
            Fetch it
          </Button>
        </div>
      </form>
    </Modal>
  );
}
