import { Checkbox } from '@mantine/core';
import type { ReactNode } from 'react';
import { NODE_SCOPES, type NodeScope } from '../../../kernel/access.ts';
import { useSession } from '../../app/session.tsx';

export const SCOPE_WORDS: Readonly<Record<NodeScope, string>> = {
  read: 'read records',
  search: 'search clients',
  pix: 'look up identifiers',
  match: 'match a person',
  feed: 'send its records',
  subscribe: 'be told of changes',
  audit: 'read and send audit events',
};

const ABOUT: Readonly<Record<NodeScope, string>> = {
  read: 'A record by its id, and its earlier versions',
  search: 'ITI-78: by name, birth date, identifier',
  pix: 'ITI-83: other identifiers of the same person',
  match: 'ITI-119: who is this, with scores',
  feed: 'ITI-104, ITI-93: create, change and delete its own records',
  subscribe: 'ITI-94: notifications when clients change',
  audit: 'ITI-20, ITI-81: for audit repositories',
};

export const USUAL_SCOPES: readonly NodeScope[] = ['read', 'search', 'pix', 'match', 'feed'];

/** Undefined: everything. What reads, reaches clients of every organisation: the central administration gives it. */
export function useOfferedScopes(): readonly NodeScope[] | undefined {
  return useSession().user.organisation.central ? undefined : OWN_RECORDS;
}
const OWN_RECORDS: readonly NodeScope[] = ['feed'];

export interface ScopeFieldProps {
  readonly value: readonly NodeScope[];
  readonly onChange: (value: NodeScope[]) => void;
  /** What may be given; missing: everything. What the node has already can be taken away by everybody. */
  readonly offered?: readonly NodeScope[] | undefined;
}

/** What a node may do, interaction by interaction. */
export function ScopeField({ value, onChange, offered }: ScopeFieldProps): ReactNode {
  return (
    <Checkbox.Group
      label="What it may do"
      description={
        offered === undefined
          ? 'Give a system what it needs and no more. Each can be changed later.'
          : 'What reads, reaches clients of every organisation: only the central administration gives it.'
      }
      value={[...value]}
      onChange={(chosen) => onChange(NODE_SCOPES.filter((scope) => chosen.includes(scope)))}
    >
      <div className="scope-choices">
        {NODE_SCOPES.map((scope) => (
          <Checkbox
            key={scope}
            value={scope}
            label={capital(SCOPE_WORDS[scope])}
            description={ABOUT[scope]}
            disabled={offered !== undefined && !offered.includes(scope) && !value.includes(scope)}
          />
        ))}
      </div>
    </Checkbox.Group>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
