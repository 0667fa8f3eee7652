import { Button, Select } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { PolicyAnswer } from '../../../features/identity/wire-policy.ts';
import { api } from '../../app/api.ts';
import { roleName } from '../../app/words.ts';
import { FailureNotice } from '../../ui/notice.tsx';
import { Section } from '../../ui/page.tsx';
import { Parts } from '../../ui/pager.tsx';
import { Own } from '../../ui/text.tsx';
import { OrganisationChoice } from './organisation-choice.tsx';
import { PersonChoice } from './person-choice.tsx';
import { forgetPolicy } from './policy-queries.ts';
import { useRoleChoices } from './role-choices.ts';

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
  const roles = useRoleChoices();
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
      <Parts label="rules" rows={policy.requirements}>
        {(shown) => (
          <ul className="sessions">
            {shown.map((rule) => (
              <li key={`${rule.scope} ${rule.scopeId}`}>
                <div>
                  <strong>
                    <Own>{nameOf(rule, roles)}</Own>
                  </strong>
                  <div className="soft small">
                    {SCOPES.find((one) => one.value === rule.scope)?.label}: second factor{' '}
                    {LEVELS.find((one) => one.value === rule.secondFactor)?.label.toLowerCase()}
                  </div>
                </div>
                <Button
                  variant="default"
                  size="xs"
                  aria-label={`Take the rule away: ${nameOf(rule, roles)}`}
                  onClick={() => set.mutate({ scope: rule.scope, scopeId: rule.scopeId, secondFactor: null })}
                >
                  Take the rule away
                </Button>
              </li>
            ))}
          </ul>
        )}
      </Parts>
      <AddRule onAdd={(rule) => set.mutate(rule)} busy={set.isPending} />
    </Section>
  );
}

const nameOf = (rule: Rule, roles: ReturnType<typeof useRoleChoices>): string =>
  rule.name ?? roles.find(({ value }) => value === rule.scopeId)?.label ?? roleName(rule.scopeId);

interface AddRuleProps {
  readonly onAdd: (rule: { scope: Rule['scope']; scopeId: string; secondFactor: Level }) => void;
  readonly busy: boolean;
}

function AddRule({ onAdd, busy }: AddRuleProps): ReactNode {
  const [scope, setScope] = useState<Rule['scope']>('role');
  const [scopeId, setScopeId] = useState<string>();
  const [level, setLevel] = useState<Level>('required');
  const roles = useRoleChoices();
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
      {scope === 'user' && <PersonChoice label="Which person" value={scopeId} onChange={setScopeId} />}
      {scope === 'organisation' && (
        <OrganisationChoice label="Which organisation" value={scopeId} onChange={setScopeId} />
      )}
      {scope === 'role' && (
        <Select
          label="Which role"
          placeholder="Choose a role"
          data={roles}
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
