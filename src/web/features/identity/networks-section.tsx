import { Button, Select, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { FormEvent, ReactNode } from 'react';
import { z } from 'zod';
import type { PolicyAnswer } from '../../../features/identity/wire-policy.ts';
import { api } from '../../app/api.ts';
import { useDraftForm } from '../../app/draft-form.ts';
import { FailureNotice, Notice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import { forgetPolicy } from './policy-queries.ts';
import { useRoleChoices } from './role-choices.ts';

const DOORS = [
  { value: 'door users', label: 'Sign-in of people' },
  { value: 'door nodes', label: 'Systems (nodes)' },
];

const NetworksDraft = z.object({ place: z.string(), text: z.string().optional() });

/** From which networks a door or a role may be used. */
export function NetworksSection({ policy }: { readonly policy: PolicyAnswer }): ReactNode {
  const queries = useQueryClient();
  const roles = useRoleChoices();
  const places = [...DOORS, ...roles.map(({ value, label }) => ({ value: `role ${value}`, label: `Role: ${label}` }))];
  const [{ place, text }, change] = useDraftForm('networks', NetworksDraft, { place: 'door users' });
  const current = policy.networks.find((rule) => `${rule.scope} ${rule.scopeId}` === place);
  const [scope = 'door', scopeId = 'users'] = place.split(' ');
  const shown = text ?? current?.networks.join('\n') ?? '';
  const networks = shown
    .split(/[\s,]+/)
    .map((one) => one.trim())
    .filter((one) => one !== '');
  const save = useMutation({
    mutationFn: () => api.act('PUT', '/api/policy/networks', { scope, scopeId, networks }),
    onSuccess: async () => {
      change({ text: undefined });
      await forgetPolicy(queries);
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Section
      title="Allowed networks"
      note={`An empty list allows every network. You are at ${policy.ownAddress ?? 'an unknown address'} now; a list that shuts you out is refused.`}
    >
      <Lists networks={policy.networks} places={places} />
      <form className="stack" onSubmit={submit} noValidate>
        {save.isError && <FailureNotice error={save.error} focus />}
        <Select
          label="For"
          allowDeselect={false}
          data={places}
          value={place}
          onChange={(value) => {
            change({ place: value ?? place, text: undefined });
            save.reset();
          }}
        />
        <Textarea
          label="Networks"
          description="One on each line, like 192.0.2.0/24 or 2001:db8::/32"
          autosize
          minRows={2}
          maxRows={10}
          value={shown}
          onChange={(event) => change({ text: event.currentTarget.value })}
        />
        {save.isSuccess && text === undefined && (
          <Notice tone="done" live>
            <p>
              Changed. It holds everywhere within a second; whoever is elsewhere is signed out at their next request.
            </p>
          </Notice>
        )}
        <div className="row">
          <Button type="submit" variant="default" loading={save.isPending} disabled={text === undefined}>
            {networks.length === 0 ? 'Allow every network' : 'Save the list'}
          </Button>
        </div>
      </form>
    </Section>
  );
}

type Place = (typeof DOORS)[number];

function Lists({
  networks,
  places,
}: Pick<PolicyAnswer, 'networks'> & { readonly places: readonly Place[] }): ReactNode {
  if (networks.length === 0) return null;
  return (
    <ul className="sessions" aria-label="Lists in force">
      {networks.map((rule) => (
        <li key={`${rule.scope} ${rule.scopeId}`}>
          <div>
            <strong>
              {places.find((one) => one.value === `${rule.scope} ${rule.scopeId}`)?.label ?? rule.scopeId}
            </strong>
            <div className="soft small">{rule.networks.join(', ')}</div>
          </div>
        </li>
      ))}
    </ul>
  );
}
