/**
 * Whose a golden record is, bound to a key outside the database: its organisations, whom it is shared with, and which records stand
 * for the person, each with its domain, that domain's organisation and its version. Whoever writes to the database alone can change
 * a row, but makes no binding that fits it. decisions/bound-clients.md, formats/sealed-at-rest.md §7.
 */
import type { OrganisationId, ResourceId } from '../../kernel/ids.ts';
import type { KeyRing } from '../../store/index.ts';
import type { DomainTable, RegistryDeps } from './deps.ts';
import { UNMADE } from './within.ts';

/** A record that stands for the person. */
export interface BoundMember {
  readonly id: ResourceId;
  readonly domainId: number;
  readonly version: number;
}

/** What is bound. Members in any order; organisations and shares in the order of their columns. */
export interface GoldenFacts {
  readonly goldenId: ResourceId;
  readonly version: number;
  readonly organisations: readonly OrganisationId[];
  readonly sharedWith: readonly OrganisationId[];
  readonly members: readonly BoundMember[];
}

const PARAMETER = 'registry.golden';

/** The binding to write with the row: 64 bits of an HMAC under the current index key. Throws when a member's domain is not known. */
export function bindGolden(keyRing: Pick<KeyRing, 'blind'>, facts: GoldenFacts, domains: DomainTable): bigint {
  const text = boundText(facts, domains);
  if (text === undefined) throw new Error('A record belongs to a domain that is not known');
  return keyRing.blind(PARAMETER, text);
}

/**
 * Whether the row is as Careseal wrote it. One without a binding is of an earlier version, and believed until all of those have been
 * bound.
 */
export function goldenFits(
  { keyRing, goldensBound }: Pick<RegistryDeps, 'keyRing' | 'goldensBound'>,
  facts: GoldenFacts,
  bound: { readonly binding: bigint | null; readonly domains: DomainTable },
): boolean {
  if (bound.binding === null) return goldensBound?.isSet() !== true;
  const text = boundText(facts, bound.domains);
  return text !== undefined && keyRing.blindAll(PARAMETER, text).includes(bound.binding);
}

/** No value has a space, comma or colon in it, so that no two rows have one text. Undefined: a member's domain is not there. */
export function boundText(facts: GoldenFacts, domains: DomainTable): string | undefined {
  const members: string[] = [];
  for (const { id, domainId, version } of facts.members) {
    const domain = domains.byId(domainId);
    if (domainId !== UNMADE && (domain === undefined || domain.altered)) return undefined;
    const organisation = domain?.organisationId ?? '-';
    members.push(`${id}:${domainId}:${organisation}:${version}`);
  }
  const { goldenId, version, organisations, sharedWith } = facts;
  return `${goldenId} ${version} ${organisations.join(',')} ${sharedWith.join(',')} ${members.sort().join(',')}`;
}

/** The column `members` of statements: the records that say that they stand for the golden record `g`. */
export const MEMBERS = `ARRAY(
    SELECT m.source_id || ':' || m.domain_id || ':' || m.version FROM registry.source AS m WHERE m.golden_id = g.golden_id
  ) AS members`;

/** Reads back one element of `MEMBERS`. */
export function memberOf(text: string): BoundMember {
  const [id = '', domainId = '', version = ''] = text.split(':');
  return { id: id as ResourceId, domainId: Number(domainId), version: Number(version) };
}
