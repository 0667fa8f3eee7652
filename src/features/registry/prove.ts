/**
 * What a golden record's row was before somebody changed it: the facts that fit the binding which is still there. A binding cannot be
 * made without the keys of the home, so facts that fit it were written by Careseal. Pure.
 */
import type { OrganisationId, ResourceId } from '../../kernel/ids.ts';
import type { KeyRing } from '../../store/index.ts';
import type { DomainTable } from './deps.ts';
import { type BoundMember, type GoldenFacts, goldenFits } from './golden-binding.ts';
import { organisationsOf, UNMADE } from './within.ts';

/** What may have stood in the row. */
export interface Candidates {
  readonly goldenId: ResourceId;
  readonly binding: bigint;
  readonly versions: readonly number[];
  /** Each set of records that may stand for the person, with what each of them may have said. */
  readonly members: readonly (readonly (readonly BoundMember[])[])[];
  readonly shares: readonly (readonly OrganisationId[])[];
  /** Of one that stands for nobody any more: who knew it. */
  readonly knownTo: readonly (readonly OrganisationId[])[];
}

/** Hashes tried for one person: some tenths of a second. */
const TRIES_MAX = 200_000;

/** The facts that fit; undefined where none of the candidates does, or there are too many to try. */
export function proveFacts(
  deps: { readonly keyRing: KeyRing; readonly domains: DomainTable; readonly central: OrganisationId | undefined },
  candidates: Candidates,
): GoldenFacts | undefined {
  const { goldenId, binding } = candidates;
  let tries = 0;
  for (const facts of eachOf(deps, candidates)) {
    if (++tries > TRIES_MAX) return undefined;
    const whole = { goldenId, ...facts };
    if (goldenFits({ keyRing: deps.keyRing }, whole, { binding, domains: deps.domains })) return whole;
  }
  return undefined;
}

function* eachOf(
  { domains, central }: { readonly domains: DomainTable; readonly central: OrganisationId | undefined },
  { versions, members, shares, knownTo }: Candidates,
): Generator<Omit<GoldenFacts, 'goldenId'>> {
  for (const version of versions) {
    for (const sharedWith of shares) {
      for (const options of members) {
        for (const chosen of eachChoice(options)) {
          const domainIds = chosen.map(({ domainId }) => domainId);
          const seenBy = chosen.length === 0 ? knownTo : ownersOf(domains, { domainIds, sharedWith }, central);
          for (const organisations of seenBy) yield { version, sharedWith, members: chosen, organisations };
        }
      }
    }
  }
}

function ownersOf(
  domains: DomainTable,
  golden: Parameters<typeof organisationsOf>[1],
  central: OrganisationId | undefined,
): OrganisationId[][] {
  const known = golden.domainIds.every((id) => id === UNMADE || domains.byId(id)?.altered === undefined);
  return known && golden.domainIds.every((id) => domains.byId(id) !== undefined)
    ? [organisationsOf(domains, golden, central)]
    : [];
}

/** Every way of taking one of each. */
function* eachChoice<T>(options: readonly (readonly T[])[]): Generator<readonly T[]> {
  const [first, ...rest] = options;
  if (first === undefined) {
    yield [];
    return;
  }
  for (const one of first) for (const others of eachChoice(rest)) yield [one, ...others];
}

/** All selections of at most `max` of them, in their order, the empty one first. */
export function selections<T>(all: readonly T[], max: number): (readonly T[])[] {
  let found: (readonly T[])[] = [[]];
  for (const one of all)
    found = [...found, ...found.filter(({ length }) => length < max).map((some) => [...some, one])];
  return found.toSorted((x, y) => x.length - y.length);
}
