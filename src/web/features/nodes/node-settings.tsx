import { Button, NumberInput, Switch, TextInput, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { domainSystemSchema, networkSchema, oneNodeSchema, type WireNode } from '../../../features/nodes/wire.ts';
import type { NodeScope } from '../../../kernel/access.ts';
import { api } from '../../app/api.ts';
import { Facts } from '../../ui/bits.tsx';
import { FailureNotice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import { Count, Own } from '../../ui/text.tsx';
import { SCOPE_WORDS, ScopeField, useOfferedScopes } from './scope-field.tsx';
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

/** As typed: lists are one a line. */
interface Draft {
  readonly name: string;
  readonly domains: string;
  readonly scopes: readonly NodeScope[];
  readonly networks: string;
  readonly perMinute: number;
  readonly tokenRequired: boolean;
  readonly contact: string;
}

function draftOf(node: WireNode): Draft {
  const { name, scopes, perMinute, tokenRequired, contact = '' } = node;
  const [domains, networks] = [node.domains.join('\n'), node.networks.join('\n')];
  return { name, domains, scopes, networks, perMinute, tokenRequired, contact };
}

function SettingsForm({ node, onDone }: { readonly node: WireNode; readonly onDone: () => void }): ReactNode {
  const queries = useQueryClient();
  const offered = useOfferedScopes();
  const [draft, setDraft] = useState(() => draftOf(node));
  const set = (part: Partial<Draft>): void => setDraft((before) => ({ ...before, ...part }));
  const badDomain = lines(draft.domains).find((line) => !domainSystemSchema.safeParse(line).success);
  const badNetwork = lines(draft.networks).find((line) => !networkSchema.safeParse(line).success);
  const save = useMutation({
    mutationFn: () => {
      const [domains, networks] = [lines(draft.domains), lines(draft.networks)];
      return api.send('PATCH', `/api/nodes/${node.id}`, oneNodeSchema, { ...draft, domains, networks });
    },
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
      <TextInput
        label="Name"
        value={draft.name}
        maxLength={64}
        onChange={(event) => set({ name: event.currentTarget.value })}
      />
      <LinesField
        label="Domains"
        description="One a line. Each belongs to one node alone."
        value={draft.domains}
        onChange={(domains) => set({ domains })}
        error={badDomain === undefined ? undefined : `Not an address without blanks: ${badDomain}`}
      />
      <ScopeField value={draft.scopes} onChange={(scopes) => set({ scopes })} offered={offered} />
      <LinesField
        label="Networks it may connect from"
        description="One a line, such as 192.0.2.0/24. None: from everywhere."
        value={draft.networks}
        onChange={(networks) => set({ networks })}
        error={badNetwork === undefined ? undefined : `Not a network: ${badNetwork}`}
      />
      <Bounds draft={draft} set={set} />
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

function Bounds({ draft, set }: { readonly draft: Draft; readonly set: (part: Partial<Draft>) => void }): ReactNode {
  return (
    <>
      <NumberInput
        label="Requests a minute, at most"
        value={draft.perMinute}
        min={1}
        max={1_000_000}
        thousandSeparator=","
        onChange={(value) => set({ perMinute: Number(value) || 1 })}
      />
      <Switch
        label="Its certificate alone is not enough"
        description="Each request needs an access token besides, which it gets with a key of its own (below)."
        checked={draft.tokenRequired}
        onChange={(event) => set({ tokenRequired: event.currentTarget.checked })}
      />
      <TextInput
        label="Contact"
        description="Whom to call about this system. Stored sealed."
        value={draft.contact}
        maxLength={300}
        onChange={(event) => set({ contact: event.currentTarget.value })}
      />
    </>
  );
}

interface LinesFieldProps {
  readonly label: string;
  readonly description: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly error: string | undefined;
}

function LinesField({ onChange, ...props }: LinesFieldProps): ReactNode {
  return (
    <Textarea
      {...props}
      onChange={(event) => onChange(event.currentTarget.value)}
      autosize
      minRows={2}
      spellCheck={false}
    />
  );
}

function lines(text: string): string[] {
  return text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
