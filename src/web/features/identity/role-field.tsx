import { Button, Checkbox } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { ROLES } from '../../../kernel/access.ts';
import { plural, ROLE_WORDS } from '../../app/words.ts';
import { roleList } from './rights-queries.ts';

export interface RoleFieldProps {
  /** Names of built-in roles, ids of others. */
  readonly value: readonly string[];
  readonly onChange: (roles: readonly string[]) => void;
  readonly error?: string | undefined;
  readonly disabled?: boolean;
}

/** More roles of the programme's own than this are shown when asked for: whoever has twenty looks for three. */
const OWN_SHOWN_MAX = 6;

/** Roles with what each may do, so that nobody has to guess; the programme's own after the built-in ones. */
export function RoleField({ value, onChange, error, disabled = false }: RoleFieldProps): ReactNode {
  const list = useQuery(roleList);
  const [all, setAll] = useState(false);
  // Those held at the beginning stay in sight also when their tick is taken away.
  const [held] = useState(value);
  const own = list.data?.roles.filter((role) => !role.builtIn) ?? [];
  const shown = all || own.length <= OWN_SHOWN_MAX ? own : own.filter(({ id }) => held.includes(id));
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
        {shown.map((role) => (
          <Checkbox key={role.id} value={role.id} label={role.name} description={role.about} disabled={disabled} />
        ))}
      </div>
      {shown.length < own.length && (
        <Button variant="default" size="xs" mt="sm" onClick={() => setAll(true)}>
          Show {plural(own.length - shown.length, 'more role', 'more roles')}
        </Button>
      )}
    </Checkbox.Group>
  );
}
