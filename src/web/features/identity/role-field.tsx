import { Checkbox } from '@mantine/core';
import type { ReactNode } from 'react';
import { ROLES } from '../../../kernel/access.ts';
import { ROLE_WORDS } from '../../app/words.ts';

export interface RoleFieldProps {
  /** Names of built-in roles, ids of others. */
  readonly value: readonly string[];
  readonly onChange: (roles: readonly string[]) => void;
  readonly error?: string | undefined;
}

/** Roles with what each may do, so that nobody has to guess. */
export function RoleField({ value, onChange, error }: RoleFieldProps): ReactNode {
  return (
    <Checkbox.Group label="Roles" value={[...value]} onChange={onChange} error={error}>
      <div className="roles">
        {ROLES.map((role) => (
          <Checkbox key={role} value={role} label={ROLE_WORDS[role].name} description={ROLE_WORDS[role].may} />
        ))}
      </div>
    </Checkbox.Group>
  );
}
