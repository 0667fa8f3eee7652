import { Button, NumberInput, Switch, TextInput, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { domainSystemSchema, networkSchema, oneNodeSchema, type WireNode } from '../../../features/nodes/wire.ts';
import { api } from '../../app/api.ts';
import { Facts } from '../../ui/bits.tsx';
import { FailureNotice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import { Count, Own } from '../../ui/text.tsx';
import { SCOPE_WORDS, ScopeField } from './scope-field.tsx';
import './nodes.css';

interface SettingsProps {
  readonly node: WireNode;
  readonly mayManage: boolean;
}

/** What the node owns and may do. Read first; changed in place. */
export function NodeSettings({ node, mayManage }: SettingsProps): ReactNode {
  const [editing, setEditing] = useState(false);
  const edit = mayManage && !editing && (
    <Button variant="default" size="xs" onClick={() => setEditing(true)}>
      Change
    </Button>
  );
  return (
    <Section title="What it may do" aside={edit}>
      {editing ? <SettingsForm node={node} onDone={() => setEditing(false)} /> : <SettingsFacts node={node} />}
    </Section>
  );
}

function SettingsFacts({ node }: { readonly node: WireNode }): ReactNode {
  return (
    <Facts
      facts={[
        [
          node.domains.length === 1 ? 'Domain' : 'Domains',
          <ul key="domains" className="plain-list">
            {node.domains.map((domain) => (
              <li key={domain}>
                <code>{domain}</code>
              </li>
            ))}
          </ul>,
        ],
        ['Interactions', node.scopes.length === 0 ? 'none' : node.scopes.map((scope) => SCOPE_WORDS[scope]).join(', ')],
        ['From', node.networks.length === 0 ? 'every network' : <Own key="networks">{node.networks.join(', ')}</Own>],
        [
          'Requests a minute',
          <span key="rate">
            at most <Count value={node.perMinute} />
          </span>,
        ],
        ['Token', node.tokenRequired ? 'needed besides its certificate' : 'not needed; its certificate is enough'],
      ]}
    />
  );
}

function SettingsForm({ node, onDone }: { readonly node: WireNode; readonly onDone: () => void }): ReactNode {
  const queries = useQueryClient();
  const [name, setName] = useState(node.name);
  const [domains, setDomains] = useState(node.domains.join('\n'));
  const [scopes, setScopes] = useState([...node.scopes]);
  const [networks, setNetworks] = useState(node.networks.join('\n'));
  const [perMinute, setPerMinute] = useState(node.perMinute);
  const [tokenRequired, setTokenRequired] = useState(node.tokenRequired);
  const [contact, setContact] = useState(node.contact ?? '');
  const badDomain = lines(domains).find((line) => !domainSystemSchema.safeParse(line).success);
  const badNetwork = lines(networks).find((line) => !networkSchema.safeParse(line).success);
  const save = useMutation({
    mutationFn: () =>
      api.send('PATCH', `/api/nodes/${node.id}`, oneNodeSchema, {
        name,
        domains: lines(domains),
        scopes,
        networks: lines(networks),
        perMinute,
        tokenRequired,
        contact,
      }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['nodes'] });
      await queries.invalidateQueries({ queryKey: ['domains'] });
      onDone();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (badDomain === undefined && badNetwork === undefined) save.mutate();
  };
  return (
    <form className="node-form" onSubmit={submit} noValidate>
      <TextInput label="Name" value={name} maxLength={64} onChange={(event) => setName(event.currentTarget.value)} />
      <Textarea
        label="Domains"
        description="One a line. Each belongs to one node alone."
        value={domains}
        onChange={(event) => setDomains(event.currentTarget.value)}
        error={badDomain === undefined ? undefined : `Not an address without blanks: ${badDomain}`}
        autosize
        minRows={2}
        spellCheck={false}
      />
      <ScopeField value={scopes} onChange={setScopes} />
      <Textarea
        label="Networks it may connect from"
        description="One a line, such as 192.0.2.0/24. None: from everywhere."
        value={networks}
        onChange={(event) => setNetworks(event.currentTarget.value)}
        error={badNetwork === undefined ? undefined : `Not a network: ${badNetwork}`}
        autosize
        minRows={2}
        spellCheck={false}
      />
      <NumberInput
        label="Requests a minute, at most"
        value={perMinute}
        min={1}
        max={1_000_000}
        thousandSeparator=" "
        onChange={(value) => setPerMinute(Number(value) || 1)}
      />
      <Switch
        label="Its certificate alone is not enough"
        description="Each request needs an access token besides, which it gets with a key of its own (below)."
        checked={tokenRequired}
        onChange={(event) => setTokenRequired(event.currentTarget.checked)}
      />
      <TextInput
        label="Contact"
        description="Whom to call about this system. Stored sealed."
        value={contact}
        maxLength={300}
        onChange={(event) => setContact(event.currentTarget.value)}
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

function lines(text: string): string[] {
  return text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
