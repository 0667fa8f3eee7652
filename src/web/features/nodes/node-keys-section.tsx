import { Button, TextInput, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { oneNodeSchema, type WireNode } from '../../../features/nodes/wire.ts';
import { api } from '../../app/api.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import './nodes.css';

/** Public keys by which the node asks for tokens: pasted, or where it publishes them. */
export function NodeKeysSection({
  node,
  mayManage,
}: {
  readonly node: WireNode;
  readonly mayManage: boolean;
}): ReactNode {
  const [editing, setEditing] = useState(false);
  const what = node.hasJwks ? 'It has public keys on record.' : undefined;
  return (
    <Section
      title="Keys for access tokens"
      note="Only for systems that use OAuth 2.0 (SMART Backend Services). A token narrows what the certificate gives, and opens nothing without it."
      aside={
        mayManage &&
        !editing && (
          <Button variant="default" size="xs" onClick={() => setEditing(true)}>
            Change
          </Button>
        )
      }
    >
      {editing ? (
        <KeysForm node={node} onDone={() => setEditing(false)} />
      ) : (
        <p className={what === undefined && node.jwksUrl === undefined ? 'soft' : undefined}>
          {what ?? (node.jwksUrl === undefined ? 'None; it asks for no tokens.' : <code>{node.jwksUrl}</code>)}
        </p>
      )}
    </Section>
  );
}

function KeysForm({ node, onDone }: { readonly node: WireNode; readonly onDone: () => void }): ReactNode {
  const queries = useQueryClient();
  const [jwksUrl, setUrl] = useState(node.jwksUrl ?? '');
  const [jwks, setKeys] = useState('');
  const save = useMutation({
    mutationFn: () =>
      api.send('PUT', `/api/nodes/${node.id}/keys`, oneNodeSchema, {
        ...(jwks.trim() === '' ? {} : { jwks }),
        ...(jwksUrl.trim() === '' ? {} : { jwksUrl: jwksUrl.trim() }),
      }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['nodes'] });
      onDone();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form className="node-form" onSubmit={submit} noValidate>
      <TextInput
        label="Address of its key set (JWKS)"
        description="https only, and never an address in a private network."
        placeholder="https://clinic.example.org/jwks.json"
        value={jwksUrl}
        spellCheck={false}
        onChange={(event) => setUrl(event.currentTarget.value)}
      />
      <Textarea
        className="csr-text"
        label="Or the key set itself (JSON)"
        description="Public keys only, each with a kid. Leave both empty to take the keys away."
        value={jwks}
        autosize
        minRows={4}
        maxRows={12}
        spellCheck={false}
        onChange={(event) => setKeys(event.currentTarget.value)}
      />
      {save.isError && <FailureNotice error={save.error} focus />}
      <div className="row">
        <Button type="submit" loading={save.isPending}>
          Save
        </Button>
        <Button variant="default" onClick={onDone}>
          Cancel
        </Button>
      </div>
    </form>
  );
}
