import { Checkbox } from '@mantine/core';
import type { ReactNode } from 'react';
import { ROLES, type Role } from '../../../kernel/access.ts';
import { ROLE_WORDS } from '../../app/words.ts';

export interface RoleFieldProps {
  readonly value: readonly Role[];
  readonly onChange: (roles: readonly Role[]) => void;
  readonly error?: string | undefined;
}

/** Roles with what each may do, so that nobody has to guess. */
export function RoleField({ value, onChange, error }: RoleFieldProps): ReactNode {
  return (
    <Checkbox.Group
      label="Roles"
      value={[...value]}
      onChange={(chosen) => onChange(ROLES.filter((role) => chosen.includes(role)))}
      error={error}
    >
      <div className="roles">
        {ROLES.map((role) => (
          <Checkbox key={role} value={role} label={ROLE_WORDS[role].name} description={ROLE_WORDS[role].may} />
        ))}
      </div>
    </Checkbox.Group>
  );
}
