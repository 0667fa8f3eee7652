import { Button, Select } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { PolicyAnswer } from '../../../features/identity/wire-policy.ts';
import { ROLES } from '../../../kernel/access.ts';
import { api } from '../../app/api.ts';
import { useSession } from '../../app/session.tsx';
import { ROLE_WORDS, roleName } from '../../app/words.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import { Own } from '../../ui/text.tsx';
import { PersonChoice } from './person-choice.tsx';
import { forgetPolicy } from './policy-queries.ts';

type Rule = PolicyAnswer['requirements'][number];
type Level = Rule['secondFactor'];
const LEVELS: readonly { readonly value: Level; readonly label: string }[] = [
  { value: 'required', label: 'Required' },
  { value: 'optional', label: 'Optional' },
  { value: 'off', label: 'Off' },
];
const SCOPES: readonly { readonly value: Rule['scope']; readonly label: string }[] = [
  { value: 'role', label: 'A role' },
  { value: 'organisation', label: 'An organisation' },
  { value: 'user', label: 'A person' },
];

/** Stricter rules of an organisation, a role or a person. */
export function RequirementsSection({ policy }: { readonly policy: PolicyAnswer }): ReactNode {
  const queries = useQueryClient();
  const set = useMutation({
    mutationFn: (rule: { scope: Rule['scope']; scopeId: string; secondFactor: Level | null }) =>
      api.act('PUT', '/api/policy/requirement', rule),
    onSuccess: () => forgetPolicy(queries),
  });
  return (
    <Section
      title="Rules for some"
      note="Besides the setting for all. The strictest that applies to a person wins; a milder rule changes nothing."
    >
      {set.isError && <FailureNotice error={set.error} focus />}
      <ul className="sessions">
        {policy.requirements.map((rule) => (
          <li key={`${rule.scope} ${rule.scopeId}`}>
            <div>
              <strong>
                <Own>{rule.name ?? (rule.scope === 'role' ? roleName(rule.scopeId) : rule.scopeId)}</Own>
              </strong>
              <div className="soft small">
                {SCOPES.find((one) => one.value === rule.scope)?.label}: second factor{' '}
                {LEVELS.find((one) => one.value === rule.secondFactor)?.label.toLowerCase()}
              </div>
            </div>
            <Button
              variant="default"
              size="xs"
              onClick={() => set.mutate({ scope: rule.scope, scopeId: rule.scopeId, secondFactor: null })}
            >
              Take the rule away
            </Button>
          </li>
        ))}
      </ul>
      <AddRule onAdd={(rule) => set.mutate(rule)} busy={set.isPending} />
    </Section>
  );
}

interface AddRuleProps {
  readonly onAdd: (rule: { scope: Rule['scope']; scopeId: string; secondFactor: Level }) => void;
  readonly busy: boolean;
}

function AddRule({ onAdd, busy }: AddRuleProps): ReactNode {
  const { user } = useSession();
  const [scope, setScope] = useState<Rule['scope']>('role');
  const [scopeId, setScopeId] = useState<string>();
  const [level, setLevel] = useState<Level>('required');
  const organisations = user.organisations ?? [user.organisation];
  const choices =
    scope === 'role'
      ? ROLES.map((role) => ({ value: role, label: ROLE_WORDS[role].name }))
      : organisations.map(({ id, name }) => ({ value: id, label: name }));
  return (
    <div className="policy-rule">
      <Select
        label="For"
        allowDeselect={false}
        data={SCOPES}
        value={scope}
        onChange={(value) => {
          setScope(SCOPES.find((one) => one.value === value)?.value ?? 'role');
          setScopeId(undefined);
        }}
      />
      {scope === 'user' ? (
        <PersonChoice label="Which person" value={scopeId} onChange={setScopeId} />
      ) : (
        <Select
          label="Which"
          data={choices}
          value={scopeId ?? null}
          onChange={(value) => setScopeId(value ?? undefined)}
        />
      )}
      <Select
        label="Second factor"
        allowDeselect={false}
        data={LEVELS}
        value={level}
        onChange={(value) => setLevel(LEVELS.find((one) => one.value === value)?.value ?? level)}
      />
      <Button
        variant="default"
        disabled={scopeId === undefined}
        loading={busy}
        onClick={() => scopeId !== undefined && onAdd({ scope, scopeId, secondFactor: level })}
      >
        Add the rule
      </Button>
    </div>
  );
}
