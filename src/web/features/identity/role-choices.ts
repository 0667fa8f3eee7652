import { useQuery } from '@tanstack/react-query';
import { ROLES } from '../../../kernel/access.ts';
import { ROLE_WORDS } from '../../app/words.ts';
import { roleList } from './rights-queries.ts';

/** Names of the programme's own roles, by id: for `roleName`. */
export function useOwnRoleNames(): Readonly<Record<string, string>> {
  const list = useQuery(roleList);
  const own = list.data?.roles.filter((role) => !role.builtIn) ?? [];
  return Object.fromEntries(own.map(({ id, name }) => [id, name ?? '']));
}

/** Built-in roles and the programme's own, as choices of a field. */
export function useRoleChoices(): readonly { readonly value: string; readonly label: string }[] {
  const list = useQuery(roleList);
  const own = list.data?.roles.filter((role) => !role.builtIn) ?? [];
  return [
    ...ROLES.map((role) => ({ value: role, label: ROLE_WORDS[role].name })),
    ...own.map(({ id, name }) => ({ value: id, label: name ?? id })),
  ];
}
