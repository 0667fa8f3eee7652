/** Golden records as they are stored: computed from their members, found by the union of their members' search terms. */
import type { Patient } from '@medplum/fhirtypes';
import type { OrganisationId } from '../../kernel/ids.ts';
import type { ResourceWrite } from '../../store/model.ts';
import type { GoldenState, RoundState } from './batch-state.ts';
import { storedContent } from './content.ts';
import type { DomainTable, RegistryDeps } from './deps.ts';
import type { SearchTerm } from './service.ts';
import { organisationsOf, organisationTerm } from './within.ts';
import { computeGolden, type Member } from './survivorship.ts';

type GoldenDeps = Pick<RegistryDeps, 'keyRing' | 'termsOf'>;

/** What says whose a golden record is: see visibility.ts. */
export interface Ownership {
  readonly domains: DomainTable;
  readonly central: OrganisationId | undefined;
}

export function goldenWrite(
  deps: GoldenDeps,
  state: RoundState,
  what: { readonly golden: GoldenState; readonly nowMs: number },
): ResourceWrite {
  const { golden, nowMs } = what;
  const version = golden.storedVersion + 1;
  const head = { id: golden.id, version, lastUpdatedMs: nowMs, kind: 'golden' as const };
  const base = { type: 'Patient', id: golden.id, version, lastUpdatedMs: nowMs };
  if (golden.replacedBy !== undefined) {
    return { ...base, content: storedContent(redirect(golden.replacedBy), head), tokens: [] };
  }
  return goldenOf(deps, { ...base, organisations: golden.organisations, members: membersOf(state, golden) });
}

/** One that stands for somebody, or for nobody any more. */
export function goldenOf(
  deps: GoldenDeps,
  golden: Pick<ResourceWrite, 'id' | 'version' | 'lastUpdatedMs'> & {
    readonly organisations: readonly OrganisationId[];
    readonly members: readonly Member[];
  },
): ResourceWrite {
  const { id, version, lastUpdatedMs, organisations, members } = golden;
  const base = { type: 'Patient', id, version, lastUpdatedMs };
  if (members.length === 0) return { ...base, content: null, tokens: [] };
  const { patient } = computeGolden(members);
  return {
    ...base,
    content: storedContent(patient, { id, version, lastUpdatedMs, kind: 'golden' }),
    tokens: [...goldenTokens(deps, patient, members), ...organisationTokens(deps, organisations)],
  };
}

export function organisationTokens(
  { keyRing }: Pick<GoldenDeps, 'keyRing'>,
  organisations: readonly OrganisationId[],
): bigint[] {
  return organisations.map((id) => {
    const { parameter, value } = organisationTerm(id);
    return keyRing.blind(parameter, value);
  });
}

/** Sets who sees the golden record now. One that stands for nobody any more stays known to those who knew it. */
export function settleOwnership(state: RoundState, golden: GoldenState, ownership: Ownership): void {
  if (golden.members.size === 0) return;
  const domainIds = [...golden.members].flatMap((id) => state.sources.get(id)?.domainId ?? []);
  golden.organisations = organisationsOf(
    ownership.domains,
    { domainIds, sharedWith: golden.sharedWith },
    ownership.central,
  );
}

function membersOf(state: RoundState, golden: GoldenState): Member[] {
  const members: Member[] = [];
  for (const id of golden.members) {
    const source = state.sources.get(id);
    if (!source?.patient) throw new Error('a member of a golden record was not loaded');
    members.push({ sourceId: id, lastUpdatedMs: source.lastUpdatedMs, patient: source.patient });
  }
  return members;
}

/** A merged golden record points to the one that stands for the person now (FHIR Patient.link, IHE PIXm). */
function redirect(survivor: string): Patient {
  return {
    resourceType: 'Patient',
    active: false,
    link: [{ other: { reference: `Patient/${survivor}` }, type: 'replaced-by' }],
  };
}

/** Own terms first, then what the sources say beyond them, so that a search for source records finds its way too. */
export function goldenTokens(deps: GoldenDeps, golden: Patient, members: readonly Member[]): bigint[] {
  const blind = (term: SearchTerm) => deps.keyRing.blind(term.parameter, term.value);
  // One source: the golden record says all that it says, and each term once.
  if (members.length === 1) return deps.termsOf(golden).map(blind);
  // Terms of one parameter come together, and most of a source's are the golden record's.
  const seen = new Map<string, Set<string>>();
  const tokens: bigint[] = [];
  for (const patient of [golden, ...members.map((member) => member.patient)]) {
    for (const term of deps.termsOf(patient)) {
      let values = seen.get(term.parameter);
      if (values === undefined) seen.set(term.parameter, (values = new Set()));
      if (values.has(term.value)) continue;
      values.add(term.value);
      tokens.push(blind(term));
    }
  }
  return tokens;
}
