import type { NodeScope } from '../../kernel/access.ts';

/** Scope names of IHE's profiles (ITI TF-2: "ITI-78" …) and of SMART Backend Services, as interactions of this registry. */
const IHE: Readonly<Record<string, readonly NodeScope[]>> = {
  'ITI-20': ['audit'],
  'ITI-78': ['read', 'search'],
  'ITI-81': ['audit'],
  'ITI-83': ['pix'],
  'ITI-93': ['feed'],
  'ITI-94': ['subscribe'],
  'ITI-104': ['feed'],
  'ITI-119': ['match'],
};
export const SUPPORTED_SCOPES: readonly string[] = [
  'system/Patient.rs',
  'system/Patient.cruds',
  'system/Subscription.cruds',
  'system/AuditEvent.rs',
  ...Object.keys(IHE),
];

export interface GrantedScope {
  /** As the token answer writes it; narrower than what was asked where the node has less. */
  readonly text: string;
  readonly interactions: readonly NodeScope[];
}

/** What of the asked scopes a node gets: each as far as its interactions are among the node's own. */
export function grantScopes(asked: string, own: ReadonlySet<NodeScope>): GrantedScope[] {
  const texts = [...new Set(asked.split(' ').filter((text) => text !== ''))];
  return texts.map((text) => grantOne(text, own)).filter((granted) => granted !== undefined);
}

function grantOne(text: string, own: ReadonlySet<NodeScope>): GrantedScope | undefined {
  const ihe = Object.hasOwn(IHE, text) ? IHE[text] : undefined;
  if (ihe !== undefined) {
    const interactions = ihe.filter((scope) => own.has(scope));
    return interactions.length === ihe.length ? { text, interactions } : undefined;
  }
  const [, resource = '', access = ''] = /^system\/(\*|Patient|Subscription|AuditEvent)\.([a-z*]+)$/.exec(text) ?? [];
  const letters = LEGACY[access] ?? access;
  if (resource === '' || !/^c?r?u?d?s?$/.test(letters) || letters === '') return undefined;
  return resource === 'Patient' ? grantPatient(letters, own) : grantOther(resource, letters, { text, own });
}

/** Version 1 of SMART's scopes. */
const LEGACY: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };

/** A feed creates, changes and deletes: fewer letters than all three would promise a narrower right than there is. */
function grantPatient(letters: string, own: ReadonlySet<NodeScope>): GrantedScope | undefined {
  const feeds = ['c', 'u', 'd'].every((letter) => letters.includes(letter)) && own.has('feed');
  const reads = letters.includes('r') && own.has('read');
  const searches = letters.includes('s') && own.has('search');
  const granted = `${feeds ? 'c' : ''}${reads ? 'r' : ''}${feeds ? 'ud' : ''}${searches ? 's' : ''}`;
  if (granted === '') return undefined;
  const interactions: NodeScope[] = [];
  if (reads) interactions.push('read');
  if (searches) interactions.push('search');
  if (feeds) interactions.push('feed');
  return { text: `system/Patient.${granted}`, interactions };
}

function grantOther(
  resource: string,
  letters: string,
  { text, own }: { readonly text: string; readonly own: ReadonlySet<NodeScope> },
): GrantedScope | undefined {
  if (resource === '*') return grantPatient(letters, own);
  const scope: NodeScope = resource === 'Subscription' ? 'subscribe' : 'audit';
  return own.has(scope) ? { text, interactions: [scope] } : undefined;
}
