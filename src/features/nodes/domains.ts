import { toHex } from '../../kernel/bytes.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { OrganisationId } from '../../kernel/ids.ts';
import type { Database, Transaction } from '../../platform/db/index.ts';
import { type AuditInput, createChangedPast } from '../audit/index.ts';
import { type Binder } from './binding.ts';
import type { NodesDeps } from './deps.ts';
import { type AlteredDomain, alteredDomains, mendDomains } from './domain-repair.ts';
import { nodeProblem } from './errors.ts';
import type { Domain, DomainTable } from './model.ts';
import { BIND_DOMAIN, type DomainRow, INSERT_DOMAIN, LIST_DOMAINS, NOTIFY } from './store.ts';

const FRESH_MS = 1_000;
/** Longer texts are no names, and would not fit the index that keeps them unique. */
const SYSTEM_LENGTH_MAX = 500;

/** Who owns which identifier system. */
export interface Domains {
  /** All domains; at most a second old, and never older than a change made by this process. */
  table(): Promise<DomainTable>;
  resolve(system: string): Promise<Domain | undefined>;
  /**
   * The domain in which the actor's organisation may itself file records: made when new (audited as `domain.claim`).
   * Refuses with `domain-owned` when a node or another organisation owns it.
   */
  ensureForUsers(system: string, actor: Actor): Promise<Domain>;
  /** Those that somebody has changed in the database, and what they were. */
  altered(organisations: readonly OrganisationId[]): Promise<AlteredDomain[]>;
  /** Puts back what is proven; the owner of the database may. */
  mend(owner: Database, altered: readonly AlteredDomain[]): Promise<void>;
  forget(): void;
}

export function createDomains(deps: NodesDeps, binder: Binder): Domains & { bindEarlier(): Promise<void> } {
  const isIntact = createDomainCheck(deps, binder);
  let snapshot: { readonly atMs: number; readonly table: Promise<DomainTable> } | undefined;

  function table(): Promise<DomainTable> {
    const nowMs = deps.clock.nowMs();
    if (snapshot !== undefined && nowMs >= snapshot.atMs && nowMs - snapshot.atMs < FRESH_MS) return snapshot.table;
    const loaded = deps.database.rows(LIST_DOMAINS).then((rows) => domainTable(rows, isIntact));
    const made = { atMs: nowMs, table: loaded };
    snapshot = made;
    loaded.catch(() => {
      if (snapshot === made) snapshot = undefined;
    });
    return loaded;
  }

  function forget(): void {
    snapshot = undefined;
  }

  async function ensureForUsers(system: string, actor: Actor): Promise<Domain> {
    const organisationId = await deps.organisationFor(actor);
    const known = (await table()).bySystem(system);
    if (known !== undefined) return assertOwn(known, organisationId);
    if (system.length > SYSTEM_LENGTH_MAX)
      throw nodeProblem('unprocessable', 'domain-too-long', `A domain has at most ${SYSTEM_LENGTH_MAX} characters.`);
    await deps.database.transaction((tx) => create(tx, system, { actor, organisationId }));
    forget();
    const made = (await table()).bySystem(system);
    if (made === undefined) throw new Error('A domain that was just made is not there.');
    return assertOwn(made, organisationId);
  }

  async function create(
    tx: Transaction,
    system: string,
    by: { readonly actor: Actor; readonly organisationId: OrganisationId },
  ): Promise<void> {
    const [made] = await tx.rows(INSERT_DOMAIN, [system, by.organisationId, new Date(deps.clock.nowMs())]);
    if (made === undefined) return; // somebody else was first; the caller looks again
    const { id } = made;
    await tx.run(BIND_DOMAIN, [id, binder.domain({ id, system, organisation_id: by.organisationId })]);
    await deps.audit.record(tx, [claimed(by.actor, id, system)]);
    await tx.rows(NOTIFY);
  }

  return {
    table,
    resolve: async (system) => (await table()).bySystem(system),
    ensureForUsers,
    altered: (organisations) => alteredDomains(deps.database, binder, organisations),
    async mend(owner, altered) {
      await mendDomains(owner, altered);
      forget();
    },
    forget,
    async bindEarlier() {
      await bindEarlierDomains(deps, binder);
      forget();
    },
  };
}

const claimed = (actor: Actor, id: number, system: string): AuditInput => ({
  ...{ actor, event: 'domain.claim', action: 'C', outcome: 'success' },
  entities: [{ reference: `Domain/${id}`, role: 'security-resource' }],
  detail: { domain: system },
});

/** Domains of an earlier version, once in the life of an installation: the mark lies outside the database. */
async function bindEarlierDomains({ database, domainsBound: mark }: NodesDeps, binder: Binder): Promise<void> {
  if (mark === undefined || mark.isSet()) return;
  await database.transaction(async (tx) => {
    for (const row of await tx.rows(LIST_DOMAINS))
      if (row.binding === null) await tx.run(BIND_DOMAIN, [row.id, binder.domain(row)]);
  });
  await mark.set();
}

/** Rows are looked at each second and stay as they are: one that fitted is compared, not opened. */
function createDomainCheck(deps: NodesDeps, binder: Binder): (row: DomainRow) => boolean {
  const fitted = new Map<number, string>();
  const changedPast = createChangedPast(deps);
  return (row) => {
    if (row.binding === null && deps.domainsBound?.isSet() !== true) return true;
    const seen = `${row.system} ${row.organisation_id} ${row.binding === null ? '' : toHex(row.binding)}`;
    if (fitted.get(row.id) === seen) return true;
    const fits = binder.isDomainIntact(row);
    if (fits) fitted.set(row.id, seen);
    else changedPast({ what: 'domain', id: String(row.id) });
    return fits;
  };
}

function assertOwn(domain: Domain, organisationId: OrganisationId): Domain {
  if (domain.altered)
    throw nodeProblem(
      'conflict',
      'domain-altered',
      'Somebody has changed in the database whose this domain is, past Careseal. Nothing was written. An administrator puts the domain right with `careseal registry repair` at the command line of the server.',
    );
  if (domain.ownerNodeId !== undefined)
    throw nodeProblem(
      'forbidden',
      'domain-owned',
      `This domain belongs to the node "${domain.ownerNodeName ?? ''}"; only that node sends its records.`,
    );
  if (domain.organisationId !== organisationId)
    throw nodeProblem('forbidden', 'domain-owned', 'This domain belongs to another organisation.');
  return domain;
}

function domainTable(rows: readonly DomainRow[], isIntact: (row: DomainRow) => boolean): DomainTable {
  const domains = rows.map((row) => (isIntact(row) ? toDomain(row) : altered(row)));
  const byId = new Map(domains.map((domain) => [domain.id, domain]));
  const bySystem = new Map(domains.map((domain) => [domain.system, domain]));
  return { byId: (id) => byId.get(id), bySystem: (system) => bySystem.get(system), all: () => domains };
}

/** An organisation that nobody is of. */
const NOBODYS = '00000000-0000-0000-0000-000000000000' as OrganisationId;
const altered = ({ id, system }: DomainRow): Domain => ({ id, system, organisationId: NOBODYS, altered: true });

function toDomain(row: DomainRow): Domain {
  return {
    id: row.id,
    system: row.system,
    organisationId: row.organisation_id,
    ...(row.node_id === null ? {} : { ownerNodeId: row.node_id }),
    ...(row.node_name === null ? {} : { ownerNodeName: row.node_name }),
  };
}
