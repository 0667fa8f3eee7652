import type { Role } from '../../kernel/access.ts';

/** Roles as people say them, with what each may do: used wherever somebody chooses or reads one. */
export const ROLE_WORDS: Readonly<Record<Role, { readonly name: string; readonly may: string }>> = {
  administrator: {
    name: 'Administrator',
    may: 'Everything: people, nodes, settings, clients, reviews and the audit log.',
  },
  registrar: { name: 'Registrar', may: 'Finds and changes clients, loads files.' },
  steward: { name: 'Steward', may: 'What a registrar may, and decides which records are one person.' },
  auditor: { name: 'Auditor', may: 'Reads the audit log, nothing else.' },
};

/** A role's name: one of the built-in ones, or, by its id, one of the programme's own. */
export function roleName(role: string, own: Readonly<Record<string, string>> = {}): string {
  return isBuiltIn(role) ? ROLE_WORDS[role].name : (own[role] ?? 'Another role');
}

export function isBuiltIn(role: string): role is Role {
  return Object.hasOwn(ROLE_WORDS, role);
}

export const GENDER_WORDS: Readonly<Record<string, string>> = {
  male: 'Male',
  female: 'Female',
  other: 'Other',
  unknown: 'Unknown',
};

export function plural(count: number, one: string, many: string): string {
  return `${count.toLocaleString()} ${count === 1 ? one : many}`;
}

/** Seconds as minutes and seconds: `1:05`. */
export function minutes(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
