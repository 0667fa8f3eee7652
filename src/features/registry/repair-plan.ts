/**
 * What a person is to be again, decided from what whoever writes to the database cannot make: the binding that is still there, and
 * sealed contents. What the changed row itself says is never believed.
 */
import type { Sql } from '../../platform/db/sql.ts';
import type { OrganisationId, ResourceId } from '../../kernel/ids.ts';
import { storedFits } from './altered.ts';
import { kindOf, patientOf } from './content.ts';
import type { DomainTable } from './deps.ts';
import { saidBy } from './examine.ts';
import { type BoundMember, type GoldenFacts, memberOf } from './golden-binding.ts';
import { type Newest, newestSealed } from './newest.ts';
import { type Candidates, proveFacts, selections } from './prove.ts';
import type { RoundDeps } from './round-loading.ts';
import { readStandingShares } from './shares.ts';
import { readGoldens, readSources, type StoredGolden } from './store.ts';

/** What else is known, outside the registry. */
export interface RepairEvidence {
  /** The organisation that the audit log says to have registered a source record; undefined where it does not say. */
  registeredBy(sourceId: ResourceId): Promise<OrganisationId | undefined>;
  /**
   * Number of the domain in which records are filed that nothing proves a domain of: the central organisation's, whose people see every
   * client anyway.
   */
  unplaced(): Promise<number>;
}

export interface PlannedMember {
  readonly id: ResourceId;
  /** Undefined: nothing proves it. */
  readonly domainId: number | undefined;
}

export interface Plan {
  readonly goldenId: ResourceId;
  /** `binding`: exactly as Careseal wrote it last. `contents`: as its sealed contents say, seen by no more than is proven. */
  readonly basis: 'binding' | 'contents';
  readonly version: number;
  readonly members: readonly PlannedMember[];
  /** The version that the binding has of each record; empty where nothing is bound. */
  readonly bound: ReadonlyMap<ResourceId, number>;
  readonly sharedWith: readonly OrganisationId[];
  /** Of one that stands for nobody: who knew it. */
  readonly organisations: readonly OrganisationId[];
  readonly replacedBy?: ResourceId;
  readonly deleted: boolean;
}

export type NotMended =
  | 'no-content'
  | 'deleted-since'
  | 'record-content-lost'
  | 'claimed-twice'
  | 'foreign-record'
  | 'domain-altered'
  | 'still-at-fault';

export type Planned = Plan | { readonly goldenId: ResourceId; readonly cannot: NotMended };

const SHARES_MAX = 4;
const KNOWN_TO_MAX = 2;

/** Reads only. */
export async function planOf(
  deps: RoundDeps,
  sql: Sql,
  goldenId: ResourceId,
  evidence: RepairEvidence,
): Promise<Planned> {
  const [row] = await readGoldens(sql, [goldenId]);
  const newest = await newestSealed(deps, sql, goldenId);
  const says = newest === undefined ? undefined : patientOf(newest.content);
  const golden = says !== undefined && kindOf(says) === 'golden' ? says : undefined;
  const domains = await deps.domains.table();
  const fits = row === undefined ? undefined : await fittingFacts(deps, sql, { row, newest, domains });
  // A binding of before the newest content was true once: it says of which domain records are, and nothing of who sees them now.
  if (fits !== undefined && fits.version >= (newest?.version ?? 0)) return fromBinding(goldenId, fits, { newest, row });
  if (newest === undefined || golden === undefined) return { goldenId, cannot: 'no-content' };
  if (newest.deletedSince) return { goldenId, cannot: 'deleted-since' };
  const said = saidBy(golden);
  const members: PlannedMember[] = [];
  for (const id of said.members) {
    const once = fits?.members.find((member) => member.id === id)?.domainId;
    members.push({ id, domainId: once ?? (await provenDomain(deps, sql, { id, evidence, domains })) });
  }
  return {
    ...{ goldenId, basis: 'contents', version: newest.version, members, bound: new Map() },
    ...{ sharedWith: [], organisations: [], deleted: false },
    ...(said.replacedBy === undefined ? {} : { replacedBy: said.replacedBy }),
  };
}

function fromBinding(
  goldenId: ResourceId,
  facts: GoldenFacts,
  { newest, row }: { readonly newest: Newest | undefined; readonly row: StoredGolden | undefined },
): Planned {
  const { version, members, sharedWith, organisations } = facts;
  const bound = new Map(members.map((member) => [member.id, member.version]));
  const plan = { goldenId, basis: 'binding' as const, version, members, bound, sharedWith, organisations };
  if (members.length > 0) return { ...plan, deleted: false };
  // Where it leads to is no part of its binding: only the content of that very version says it.
  if (newest?.version === version) {
    const { replacedBy } = saidBy(patientOf(newest.content));
    return replacedBy === undefined ? { goldenId, cannot: 'no-content' } : { ...plan, replacedBy, deleted: false };
  }
  return newest?.deletedSince === true && row !== undefined
    ? { ...plan, deleted: true }
    : { goldenId, cannot: 'no-content' };
}

interface Asked {
  readonly row: StoredGolden;
  readonly newest: Newest | undefined;
  readonly domains: DomainTable;
}

async function fittingFacts(deps: RoundDeps, sql: Sql, asked: Asked): Promise<GoldenFacts | undefined> {
  const { row, domains } = asked;
  const { binding } = row;
  if (binding === null) return undefined;
  if (storedFits(deps, row, domains)) {
    const { golden_id: goldenId, version, organisations, shared_with: sharedWith } = row;
    return { goldenId, version, organisations, sharedWith, members: row.members.map(memberOf) };
  }
  const central = await deps.centralOrganisation?.();
  const { keyRing } = deps;
  return proveFacts({ keyRing, domains, central }, await candidatesFor(deps, sql, { ...asked, binding }));
}

async function candidatesFor(
  deps: RoundDeps,
  sql: Sql,
  { row, newest, domains, binding }: Asked & { readonly binding: bigint },
): Promise<Candidates> {
  const goldenId = row.golden_id;
  const said = newest === undefined ? [] : saidBy(patientOf(newest.content)).members;
  const rowMembers = row.members.map(memberOf);
  const shared = (await readStandingShares(deps, sql, goldenId)).map((share) => share.organisationId);
  const organisations = [...new Set(domains.all().map((domain) => domain.organisationId))];
  const versions = [row.version, ...(newest === undefined ? [] : [newest.version, newest.version + 1])];
  return {
    ...{ goldenId, binding },
    versions: [...new Set(versions)],
    members: [rowMembers.map((one) => [one]), await optionsOf(deps, sql, said, domains), []],
    shares: [row.shared_with, ...selections([...new Set(shared)], SHARES_MAX)],
    knownTo: [row.organisations, ...selections(organisations.toSorted(), KNOWN_TO_MAX)],
  };
}

/** What each of these records may have said: its domain as the row has it, then any; its version as the row has it, and as sealed. */
async function optionsOf(
  deps: RoundDeps,
  sql: Sql,
  ids: readonly ResourceId[],
  domains: DomainTable,
): Promise<BoundMember[][]> {
  const rows = new Map((await readSources(sql, ids)).map((row) => [row.source_id, row]));
  const all = domains.all().map(({ id }) => id);
  const options: BoundMember[][] = [];
  for (const id of ids) {
    const row = rows.get(id);
    const sealed = await newestSealed(deps, sql, id);
    const versions = new Set([...(sealed ? [sealed.version] : []), ...(row ? [row.version] : [])]);
    const domainIds = new Set([...(row ? [row.domain_id] : []), ...all]);
    options.push([...versions].flatMap((version) => [...domainIds].map((domainId) => ({ id, domainId, version }))));
  }
  return options;
}

/**
 * The domain that a record's own sealed identifiers and the audit log agree on: one of an organisation that registered it. Where several
 * of that organisation fit, any of them shows it to the same people.
 */
async function provenDomain(
  deps: RoundDeps,
  sql: Sql,
  {
    id,
    evidence,
    domains,
  }: { readonly id: ResourceId; readonly evidence: RepairEvidence; readonly domains: DomainTable },
): Promise<number | undefined> {
  const sealed = await newestSealed(deps, sql, id);
  const organisationId = sealed === undefined ? undefined : await evidence.registeredBy(id);
  if (sealed === undefined || organisationId === undefined) return undefined;
  const systems = (patientOf(sealed.content).identifier ?? []).map(({ system }) => system);
  const fitting = systems.flatMap((system) => (system === undefined ? [] : (domains.bySystem(system) ?? [])));
  return fitting.find((domain) => domain.organisationId === organisationId && domain.altered !== true)?.id;
}
