import { newId } from '../../crypto/index.ts';
import { type Permission, ROLES } from '../../kernel/access.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/sql.ts';
import type { Audit, AuditInput } from '../audit/index.ts';
import { roleUnknown } from './errors.ts';
import type { OrganisationStore } from './organisation-store.ts';
import { assertOwnRights } from './organisations.ts';
import { CENTRAL_PERMISSIONS, ROLE_PERMISSIONS } from './rights.ts';
import { type OwnRole, type RoleId, roleStore } from './role-store.ts';
import type { Sealing } from './sealing.ts';
import type { Sessions } from './sessions.ts';
import type { RoleEntry, RoleWanted } from './wire-organisations.ts';

export interface RolesDeps {
  readonly database: Database;
  readonly sealing: Sealing;
  readonly organisations: OrganisationStore;
  readonly sessions: Sessions;
  readonly audit: Audit;
  readonly clock: Clock;
}

export type Roles = ReturnType<typeof createRoles>;

/** Roles: the four built-in ones, which never change, and the programme's own. */
export function createRoles(deps: RolesDeps) {
  const { database, sealing, organisations, sessions, audit, clock } = deps;

  /** A role holds at most what whoever makes it has themselves, everywhere. */
  async function write(actor: Actor, event: 'role.add' | 'role.change', role: Omit<OwnRole, 'held' | 'changed'>) {
    assertOwnRights(actor, role.permissions);
    return await database.transaction(async (tx) => {
      if (event === 'role.add') await roleStore.insert(tx, sealing, role, clock.nowMs());
      else if (!(await roleStore.update(tx, sealing, role))) throw roleUnknown();
      await organisations.notifyAll(tx);
      tx.afterCommit(() => sessions.dropAll());
      const audited = await audit.record(tx, [roleEvent(actor, event, role.id, role.permissions)]);
      const made = (await roleStore.list(tx, sealing)).find((one) => one.id === role.id);
      if (made === undefined) throw roleUnknown();
      return { role: ownEntry(made), audited };
    });
  }

  return {
    async list(actor: Actor) {
      const own = await roleStore.list(database, sealing);
      const audited = await audit.recordNow([{ actor, event: 'role.list', action: 'R', outcome: 'success' }]);
      const builtIn = ROLES.map((id): RoleEntry => ({ id, builtIn: true, permissions: [...ROLE_PERMISSIONS[id]] }));
      return { roles: [...builtIn, ...own.map(ownEntry)], centralOnly: [...CENTRAL_PERMISSIONS], audited };
    },
    add: (actor: Actor, wanted: RoleWanted) => write(actor, 'role.add', { ...wanted, id: newId<RoleId>() }),
    change: (actor: Actor, id: RoleId, wanted: RoleWanted) => write(actor, 'role.change', { ...wanted, id }),
    /** Whoever holds it has nothing by it any more; their other roles stay. */
    async retire(actor: Actor, id: RoleId) {
      return await database.transaction(async (tx) => {
        if (!(await roleStore.retire(tx, id, clock.nowMs()))) throw roleUnknown();
        await organisations.notifyAll(tx);
        tx.afterCommit(() => sessions.dropAll());
        return await audit.record(tx, [roleEvent(actor, 'role.retire', id, [])]);
      });
    },
  };
}

function ownEntry({ id, name, about, permissions, held, changed }: OwnRole): RoleEntry {
  return { id, name, about, builtIn: false, permissions: [...permissions], held, ...(changed ? { changed } : {}) };
}

function roleEvent(
  actor: Actor,
  event: 'role.add' | 'role.change' | 'role.retire',
  id: RoleId,
  permissions: readonly Permission[],
): AuditInput {
  return {
    actor,
    event,
    action: event === 'role.add' ? 'C' : 'U',
    outcome: 'success',
    entities: [{ reference: `Role/${id}`, role: 'security-resource' }],
    detail: permissions.length === 0 ? {} : { permissions: permissions.join(' ') },
  };
}
