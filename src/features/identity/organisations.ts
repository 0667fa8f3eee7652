import { newId } from '../../crypto/index.ts';
import { PERMISSIONS, type Permission } from '../../kernel/access.ts';
import type { OrganisationId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { reachOf } from '../../kernel/reach.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database, Transaction } from '../../platform/db/sql.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { Audit, AuditInput } from '../audit/index.ts';
import { lockAdministrators } from './administrators.ts';
import { organisationCentral, organisationUnknown, rightsExceed } from './errors.ts';
import type { Organisation } from './model.ts';
import type { OrganisationStore } from './organisation-store.ts';
import type { Sessions } from './sessions.ts';

export interface OrganisationsDeps {
  readonly database: Database;
  readonly organisations: OrganisationStore;
  readonly sessions: Sessions;
  readonly audit: Audit;
  readonly clock: Clock;
}

export type ListedOrganisation = Organisation & { readonly users: number };

export interface OrganisationQuery {
  readonly text: string;
  readonly state: 'active' | 'retired';
  /** How many to leave out. */
  readonly after: number;
}

export interface OrganisationChanges {
  readonly name?: string | undefined;
  /** Null: no ceiling any more. */
  readonly ceiling?: readonly Permission[] | null | undefined;
  readonly retired?: boolean | undefined;
}

export type Organisations = ReturnType<typeof createOrganisations>;

const PAGE = 100;
/** "Clinic 3" before "Clinic 253". Sorted here and not by the database, whose collations differ between its builds. */
const BY_NAME = new Intl.Collator('en', { numeric: true });

/** Organisations: seen by whoever administers people there, changed by the central administration alone. */
export function createOrganisations(deps: OrganisationsDeps) {
  const { database, organisations, audit } = deps;
  return {
    /** Those whose people the actor may see: the central one first, then by name. */
    async list(actor: Actor, query: OrganisationQuery) {
      const reach = reachOf(actor.principal, 'user.read');
      const all = await organisations.list(database, reach === 'all' ? undefined : reach);
      const words = folded(query.text).split(/\s+/).filter(Boolean);
      const fitting = all
        .filter((one) => (one.retiredMs === undefined) === (query.state === 'active'))
        .filter((one) => words.every((word) => folded(one.name).includes(word)))
        .sort((a, b) => Number(b.central) - Number(a.central) || BY_NAME.compare(a.name, b.name));
      const shown = fitting.slice(query.after, query.after + PAGE);
      const next = query.after + shown.length < fitting.length ? query.after + shown.length : undefined;
      const audited = await audit.recordNow([{ actor, event: 'organisation.list', action: 'R', outcome: 'success' }]);
      return { organisations: shown, total: fitting.length, next, audited };
    },

    /** Others to share with, by name; the central one sees everything as it is. */
    async choices(actor: Actor, text: string) {
      const words = folded(text).split(/\s+/).filter(Boolean);
      const found = (await organisations.list(database, undefined))
        .filter((one) => !one.central && one.retiredMs === undefined)
        .filter((one) => words.every((word) => folded(one.name).includes(word)))
        .sort((a, b) => BY_NAME.compare(a.name, b.name))
        .slice(0, 20)
        .map(({ id, name }) => ({ id, name }));
      const audited = await audit.recordNow([{ actor, event: 'organisation.list', action: 'R', outcome: 'success' }]);
      return { organisations: found, audited };
    },

    async add(actor: Actor, wanted: { name: string; ceiling?: readonly Permission[] | undefined }) {
      assertOwnRights(actor, wanted.ceiling ?? []);
      return await database.transaction(async (tx) => {
        await lockAdministrators(tx);
        const id = newId<OrganisationId>();
        await organisations.insert(tx, { id, name: wanted.name }, deps.clock.nowMs());
        if (wanted.ceiling !== undefined)
          await organisations.setCeiling(tx, await mustFind(tx, deps, id), wanted.ceiling);
        const detail = wanted.ceiling === undefined ? {} : { ceiling: wanted.ceiling.join(' ') };
        const audited = await audit.record(tx, [organisationEvent(actor, 'organisation.add', id, detail)]);
        return { organisation: { ...(await mustFind(tx, deps, id)), users: 0 }, audited };
      });
    },

    /** Name, ceiling, retirement; what it takes away, it takes from everybody's next request. */
    async change(actor: Actor, id: OrganisationId, changes: OrganisationChanges) {
      return await database.transaction(async (tx) => {
        await lockAdministrators(tx);
        const before = await organisations.find(tx, id);
        if (before === undefined) throw organisationUnknown();
        const inputs = await applyChanges(tx, deps, { actor, before, changes });
        await organisations.notifyAll(tx);
        tx.afterCommit(() => deps.sessions.dropAll());
        const audited: AuditReceipt = await audit.record(
          tx,
          inputs.length > 0 ? inputs : [organisationEvent(actor, 'organisation.rename', id, { change: 'none' })],
        );
        const [organisation] = await organisations.list(tx, [id]);
        if (organisation === undefined) throw organisationUnknown();
        return { organisation, audited };
      });
    },
  };
}

async function applyChanges(
  tx: Transaction,
  { organisations, clock }: OrganisationsDeps,
  what: { readonly actor: Actor; readonly before: Organisation; readonly changes: OrganisationChanges },
): Promise<AuditInput[]> {
  const { actor, before, changes } = what;
  const { id } = before;
  const inputs: AuditInput[] = [];
  let now = before;
  const setCeiling = async (ceiling: Organisation['ceiling']): Promise<void> => {
    await organisations.setCeiling(tx, now, ceiling);
    now = { ...now, ceiling, changed: false };
  };
  // A ceiling that somebody else has written is not made ours by changing something beside it.
  if (before.changed && !before.central && changes.ceiling === undefined) await setCeiling([]);
  if (changes.name !== undefined && changes.name !== before.name) {
    await organisations.rename(tx, { id, name: changes.name });
    inputs.push(organisationEvent(actor, 'organisation.rename', id, {}));
  }
  if (changes.ceiling !== undefined) {
    if (before.central) throw organisationCentral();
    const held = before.ceiling ?? PERMISSIONS;
    // A higher ceiling may give rights to whoever raises it: nobody lets through what they do not have.
    assertOwnRights(
      actor,
      (changes.ceiling ?? PERMISSIONS).filter((permission) => !held.includes(permission)),
    );
    await setCeiling(changes.ceiling ?? undefined);
    const detail = { from: before.ceiling?.join(' ') ?? 'none', to: changes.ceiling?.join(' ') ?? 'none' };
    inputs.push(organisationEvent(actor, 'organisation.ceiling', id, detail));
  }
  if (changes.retired !== undefined && changes.retired !== (before.retiredMs !== undefined)) {
    if (before.central) throw organisationCentral();
    await organisations.setRetired(tx, now, changes.retired ? clock.nowMs() : undefined);
    inputs.push(organisationEvent(actor, changes.retired ? 'organisation.retire' : 'organisation.restore', id, {}));
  }
  return inputs;
}

/** Throws `rights-exceed` unless the actor has all of these everywhere. */
export function assertOwnRights({ principal }: Actor, permissions: readonly Permission[]): void {
  if (permissions.some((permission) => reachOf(principal, permission) !== 'all')) throw rightsExceed();
}

async function mustFind(tx: Transaction, { organisations }: OrganisationsDeps, id: OrganisationId) {
  const found = await organisations.find(tx, id);
  if (found === undefined) throw organisationUnknown();
  return found;
}

const folded = (text: string): string => text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();

function organisationEvent(
  actor: Actor,
  event: AuditInput['event'],
  id: OrganisationId,
  detail: Readonly<Record<string, string>>,
): AuditInput {
  return {
    actor,
    event,
    action: event === 'organisation.add' ? 'C' : 'U',
    outcome: 'success',
    entities: [{ reference: `Organization/${id}`, role: 'security-resource' }],
    detail,
  };
}
