import type { Actor } from '../../kernel/principal.ts';
import type { OrganisationId } from '../../kernel/ids.ts';
import type { Transaction } from '../../platform/db/index.ts';
import type { NodesDeps } from './deps.ts';
import { nodeProblem } from './errors.ts';
import type { Domain, DomainTable } from './model.ts';
import { type DomainRow, INSERT_DOMAIN, LIST_DOMAINS, NOTIFY } from './store.ts';

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
  forget(): void;
}

export function createDomains(deps: NodesDeps): Domains {
  let snapshot: { readonly atMs: number; readonly table: Promise<DomainTable> } | undefined;

  function table(): Promise<DomainTable> {
    const nowMs = deps.clock.nowMs();
    if (snapshot !== undefined && nowMs >= snapshot.atMs && nowMs - snapshot.atMs < FRESH_MS) return snapshot.table;
    const loaded = deps.database.rows(LIST_DOMAINS).then(domainTable);
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
    await deps.audit.record(tx, [
      {
        actor: by.actor,
        event: 'domain.claim',
        action: 'C',
        outcome: 'success',
        entities: [{ reference: `Domain/${made.id}`, role: 'security-resource' }],
        detail: { domain: system },
      },
    ]);
    await tx.rows(NOTIFY);
  }

  return {
    table,
    resolve: async (system) => (await table()).bySystem(system),
    ensureForUsers,
    forget,
  };
}

function assertOwn(domain: Domain, organisationId: OrganisationId): Domain {
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

function domainTable(rows: readonly DomainRow[]): DomainTable {
  const domains = rows.map(toDomain);
  const byId = new Map(domains.map((domain) => [domain.id, domain]));
  const bySystem = new Map(domains.map((domain) => [domain.system, domain]));
  return { byId: (id) => byId.get(id), bySystem: (system) => bySystem.get(system), all: () => domains };
}

function toDomain(row: DomainRow): Domain {
  return {
    id: row.id,
    system: row.system,
    organisationId: row.organisation_id,
    ...(row.node_id === null ? {} : { ownerNodeId: row.node_id }),
    ...(row.node_name === null ? {} : { ownerNodeName: row.node_name }),
  };
}
