import { Checkbox } from '@mantine/core';
import type { ReactNode } from 'react';
import { PERMISSIONS, type Permission } from '../../../kernel/access.ts';
import { permissionWords } from './permission-words.ts';
import './rights.css';

export interface PermissionFieldProps {
  readonly label: string;
  readonly description?: string;
  readonly value: readonly Permission[];
  readonly onChange: (permissions: readonly Permission[]) => void;
  /** Default: all. */
  readonly offered?: readonly Permission[];
  readonly error?: string | undefined;
}

/** Permissions in words, to be ticked. */
export function PermissionField(props: PermissionFieldProps): ReactNode {
  const { label, description, value, onChange, offered = PERMISSIONS, error } = props;
  return (
    <Checkbox.Group
      label={label}
      description={description}
      value={[...value]}
      onChange={(chosen) => onChange(offered.filter((permission) => chosen.includes(permission)))}
      error={error}
    >
      <div className="permissions">
        {offered.map((permission) => (
          <Checkbox key={permission} value={permission} label={permissionWords(permission)} />
        ))}
      </div>
    </Checkbox.Group>
  );
}
