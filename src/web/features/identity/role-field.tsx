import { Checkbox } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ROLES } from '../../../kernel/access.ts';
import { ROLE_WORDS } from '../../app/words.ts';
import { roleList } from './rights-queries.ts';

export interface RoleFieldProps {
  /** Names of built-in roles, ids of others. */
  readonly value: readonly string[];
  readonly onChange: (roles: readonly string[]) => void;
  readonly error?: string | undefined;
  readonly disabled?: boolean;
}

/** Roles with what each may do, so that nobody has to guess; the programme's own after the built-in ones. */
export function RoleField({ value, onChange, error, disabled = false }: RoleFieldProps): ReactNode {
  const list = useQuery(roleList);
  const own = list.data?.roles.filter((role) => !role.builtIn) ?? [];
  return (
    <Checkbox.Group label="Roles" value={[...value]} onChange={onChange} error={error}>
      <div className="roles">
        {ROLES.map((role) => (
          <Checkbox
            key={role}
            value={role}
            label={ROLE_WORDS[role].name}
            description={ROLE_WORDS[role].may}
            disabled={disabled}
          />
        ))}
        {own.map((role) => (
          <Checkbox key={role.id} value={role.id} label={role.name} description={role.about} disabled={disabled} />
        ))}
      </div>
    </Checkbox.Group>
  );
}
