import type { AuditInput } from './model.ts';

/** `in`: the client sends, the server takes; `out`: the other way round; `delete`: BALP's own pair of codes. */
export type AgentFlow = 'in' | 'out' | 'delete';
export type Profile = 'Create' | 'Read' | 'Update' | 'Delete' | 'Query';

/** How a FHIR interaction is told in BALP: the direction of its agents, and the profile that a success may claim. */
export interface Interaction {
  readonly flow: AgentFlow;
  readonly profile?: Profile;
}

/** BALP 1.1 profiles five interactions; the others follow the nearest of them and claim nothing. */
const INTERACTIONS: Readonly<Record<string, Interaction>> = {
  create: { flow: 'in', profile: 'Create' },
  update: { flow: 'in', profile: 'Update' },
  patch: { flow: 'in', profile: 'Update' },
  delete: { flow: 'delete', profile: 'Delete' },
  read: { flow: 'out', profile: 'Read' },
  vread: { flow: 'out', profile: 'Read' },
  search: { flow: 'in', profile: 'Query' },
  'search-type': { flow: 'in', profile: 'Query' },
  'search-system': { flow: 'in', profile: 'Query' },
  'history-instance': { flow: 'out' },
  'history-type': { flow: 'out' },
  operation: { flow: 'in' },
  batch: { flow: 'in' },
  transaction: { flow: 'in' },
};

const ACTIONS = { Create: 'C', Read: 'R', Update: 'U', Delete: 'D', Query: 'E' } as const;

/** The table's row, or the plain rule for events that are no FHIR interaction: what is read flows out. */
export function interactionOf(subtype: string | undefined, action: AuditInput['action']): Interaction {
  const known = subtype === undefined ? undefined : INTERACTIONS[subtype];
  return known ?? { flow: action === 'R' ? 'out' : 'in' };
}

export function isRestInteraction(name: string): boolean {
  return Object.hasOwn(INTERACTIONS, name);
}

/**
 * The profile this event satisfies, if any: BALP's profiles fix outcome 0, one action, and the query or data entity, so a
 * failure or an act of another kind must not claim one.
 */
export function claimedProfile(
  interaction: Interaction,
  input: AuditInput,
  patient: string | undefined,
): string | undefined {
  const { profile } = interaction;
  if (profile === undefined || input.outcome !== 'success' || ACTIONS[profile] !== input.action) return undefined;
  if (profile === 'Query' ? input.query === undefined : patient === undefined && !input.entities?.length) {
    return undefined;
  }
  return patient === undefined ? profile : `Patient${profile}`;
}
