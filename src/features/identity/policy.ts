import type { UserId } from '../../kernel/ids.ts';
import type { Actor, Principal } from '../../kernel/principal.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database, Sql, Transaction } from '../../platform/db/sql.ts';
import { networkMatcher } from '../../platform/http/address.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { Audit } from '../audit/index.ts';
import { networkWouldLockOut, policyRefused } from './errors.ts';
import { IdentitySettings, type SecondFactorLevel } from './model.ts';
import { requirementOf, settingChanges } from './policy-rules.ts';
import {
  type AllowedNetworks,
  createPolicyStore,
  NO_POLICY,
  type PolicyRow,
  type PolicyStore,
  type Requirement,
} from './policy-store.ts';
import type { Membership } from './rights.ts';
import type { Sealing } from './sealing.ts';

export interface PolicyDeps {
  readonly database: Database;
  readonly sealing: Sealing;
  readonly audit: Audit;
  readonly clock: Clock;
  /** What holds where nothing was set. */
  readonly defaults: IdentitySettings;
}

/** The same bound as of sessions: a change holds everywhere within a second, also where a notification was lost. */
const FRESH_MS = 1_000;
const CHANNEL = 'careseal_policy';

interface Snapshot extends Omit<PolicyRow, 'settings'> {
  readonly settings: IdentitySettings;
  /** Somebody else has changed it in the database: the safest values hold until it is set anew. */
  readonly changed: boolean;
  /** Ready to be asked, by `door users`, `role administrator`. */
  readonly matchers: ReadonlyMap<string, (address: string | undefined) => boolean>;
}

export type Policy = ReturnType<typeof createPolicy>;

/** The policy in force, changed while serving. `settings` always shows the latest values this process has seen. */
export function createPolicy(deps: PolicyDeps) {
  const { database, sealing, clock } = deps;
  const store = createPolicyStore(sealing.rows);
  const current = createCurrent(deps, store);
  const change = changing(deps, store, current.load);
  return {
    settings: liveView(() => current.snapshot().settings),
    refresh: current.refresh,
    sawMark: current.sawMark,
    version: (): number => current.snapshot().version,
    networks: (): readonly AllowedNetworks[] => current.snapshot().networks,

    /** Second factor of this person: the strictest of server, organisations, roles and person, exceptions considered. */
    async requirementFor(
      sql: Sql,
      person: { readonly id: UserId; readonly memberships: readonly Membership[]; readonly hasException?: boolean },
    ): Promise<SecondFactorLevel> {
      const { requirements, settings } = current.snapshot();
      const others = rulesFor(requirements, person);
      const strictest = requirementOf({ server: settings.secondFactor, others, excepted: false });
      if (strictest !== 'required' || person.hasException === false) return strictest;
      return (await store.isExcepted(sql, person.id, clock.nowMs())) ? 'optional' : 'required';
    },

    /** Whether somebody else has written to it in the database; the safest values hold then. */
    isChanged: (): boolean => current.snapshot().changed,
    requirements: (): readonly Requirement[] => current.snapshot().requirements,

    /** Makes sure that there is one to be missed (upgrade of rows). */
    async found(tx: Transaction): Promise<void> {
      await store.lock(tx);
      const { intact: _intact, mark: _mark, ...row } = await store.read(tx);
      await store.write(tx, { ...row, version: row.version + 1 }, clock.nowMs());
    },
    /** From now on a policy is there: deleting it is noticed. */
    expect: current.expect,

    /** Whether somebody at this address may use the door, and hold these roles there. */
    isNetworkAllowed(door: 'users' | 'nodes', address: string | undefined, principal?: Principal): boolean {
      return allowed(current.snapshot(), door, address, principal?.kind === 'user' ? principal.roles : []);
    },

    ...changesOfSettings(deps, change),
    ...changesOfRules(deps, change, store),

    /** Listens for changes made by other processes. */
    async start(): Promise<() => Promise<void>> {
      await current.load(database);
      // A failure is made good by the next look, at most a second later.
      return await database.listen(CHANNEL, () => void current.refresh(true).catch(() => undefined));
    },
  };
}

/** What is in force as this process knows it. */
function createCurrent({ database, clock, defaults }: PolicyDeps, store: PolicyStore) {
  let snapshot = snapshotOf(NO_POLICY, defaults);
  let loadedMs = Number.NEGATIVE_INFINITY;
  let loadedMark: string | undefined;
  let loading: Promise<void> | undefined;
  /** Once there has been one, its absence is somebody's doing. */
  let expected = false;

  async function load(sql: Sql): Promise<void> {
    if (loadedMark === undefined || (await store.mark(sql)) !== loadedMark) {
      const { intact, mark, ...row } = await store.read(sql);
      const ours = intact && !(expected && row.version === 0);
      // Networks go on holding as this process last knew them: who takes them away must not gain by it.
      snapshot = ours
        ? snapshotOf(row, defaults)
        : { ...snapshotOf({ ...NO_POLICY, networks: snapshot.networks }, defaults), changed: true };
      if (ours && row.version > 0) expected = true;
      loadedMark = mark;
    }
    loadedMs = clock.nowMs();
  }

  /** At most one look at the database a second, whoever asks; they share it. `now`: whatever was seen before. */
  async function refresh(now = false): Promise<void> {
    const ageMs = clock.nowMs() - loadedMs;
    if (!now && ageMs >= 0 && ageMs < FRESH_MS) return;
    if (now) loadedMs = Number.NEGATIVE_INFINITY;
    loading ??= load(database).finally(() => {
      loading = undefined;
    });
    await loading;
  }

  return {
    snapshot: (): Snapshot => snapshot,
    load,
    refresh,
    /** The mark as it was read, from `askedMs` on, along with something else: a look of our own is needed only where it is another. */
    async sawMark(mark: string, askedMs: number): Promise<void> {
      if (mark === loadedMark) loadedMs = askedMs;
      else await refresh(true);
    },
    expect(): void {
      expected = true;
    },
  };
}

/** One change after the other, each audited with what it really replaced. */
function changing({ database, audit, clock }: PolicyDeps, store: PolicyStore, load: (sql: Sql) => Promise<void>) {
  /** What a change starts from, under the lock: what we wrote, or nothing where it is not ours any more. */
  async function before(tx: Transaction): Promise<PolicyRow> {
    await store.lock(tx);
    const { intact, mark: _mark, ...row } = await store.read(tx);
    if (intact) return row;
    await store.clear(tx);
    return { ...NO_POLICY, version: row.version };
  }

  return async (actor: Actor, work: ChangeWork): Promise<AuditReceipt> => {
    const receipt = await database.transaction(async (tx) => {
      const { event, changes, about, next } = await work(tx, await before(tx));
      await store.write(tx, next, clock.nowMs());
      await store.notify(tx);
      // One event for each, so that each has its old and its new value.
      return await audit.record(
        tx,
        changes.map((detail) => ({
          ...{ actor, event, action: 'U' as const, outcome: 'success' as const, detail },
          ...(about === undefined ? {} : { entities: [{ reference: `User/${about}`, role: 'user' as const }] }),
        })),
      );
    });
    await load(database);
    return receipt;
  };
}

type ChangeWork = (tx: Transaction, before: PolicyRow) => Promise<Change>;
type ChangePolicy = (actor: Actor, work: ChangeWork) => Promise<AuditReceipt>;

function changesOfSettings({ defaults }: PolicyDeps, change: ChangePolicy) {
  return {
    /** Sets some settings. Throws `policy-refused` for a value outside its range; nothing is changed then. */
    async set(actor: Actor, given: Readonly<Record<string, unknown>>): Promise<AuditReceipt> {
      return await change(actor, async (_tx, row) => {
        const { settings } = snapshotOf(row, defaults);
        const parsed = IdentitySettings.safeParse({ ...settings, ...given });
        if (!parsed.success) throw policyRefused(parsed.error.issues.map(({ path, message }) => ({ path, message })));
        const changes = settingChanges(settings, parsed.data);
        const next = { ...row, version: row.version + 1, settings: differences(parsed.data, defaults) };
        return { event: 'policy.change', changes: changes.length === 0 ? [{ what: 'nothing' }] : changes, next };
      });
    },
  };
}

function changesOfRules({ defaults }: PolicyDeps, change: ChangePolicy, store: PolicyStore) {
  return {
    async setRequirement(
      actor: Actor,
      at: Pick<Requirement, 'scope' | 'scopeId'>,
      level: SecondFactorLevel | undefined,
    ): Promise<AuditReceipt> {
      return await change(actor, async (tx, row) => {
        const isSame = (one: Requirement): boolean => one.scope === at.scope && one.scopeId === at.scopeId;
        const from = row.requirements.find(isSame)?.secondFactor;
        await store.setRequirement(tx, at, level);
        const others = row.requirements.filter((one) => !isSame(one));
        const requirements = level === undefined ? others : [...others, { ...at, secondFactor: level }];
        const detail = {
          what: `secondFactor ${at.scope}`,
          scope: at.scopeId,
          from: from ?? 'none',
          to: level ?? 'none',
        };
        return {
          event: 'policy.requirement',
          changes: [detail],
          next: { ...row, version: row.version + 1, requirements },
          ...(at.scope === 'user' ? { about: at.scopeId } : {}),
        };
      });
    },

    /** Networks of a door or role; none: any. Throws `network-would-lock-out` when it would shut out whoever sets it. */
    async setNetworks(actor: Actor, wanted: AllowedNetworks): Promise<AuditReceipt> {
      return await change(actor, async (tx, before) => {
        const others = before.networks.filter(
          ({ scope, scopeId }) => scope !== wanted.scope || scopeId !== wanted.scopeId,
        );
        const networks = wanted.networks.length === 0 ? others : [...others, wanted];
        const next = snapshotOf({ ...before, networks }, defaults);
        const { principal, origin } = actor;
        const stays = principal.kind !== 'user' || allowed(next, 'users', origin.address, principal.roles);
        if (!stays) throw networkWouldLockOut();
        await store.setNetworks(tx, wanted);
        const old = before.networks.find(({ scope, scopeId }) => scope === wanted.scope && scopeId === wanted.scopeId);
        return {
          event: 'policy.networks',
          next: { ...before, version: before.version + 1, networks },
          changes: [
            {
              what: `networks ${wanted.scope} ${wanted.scopeId}`,
              from: old?.networks.join(' ') ?? 'any',
              to: wanted.networks.join(' ') || 'any',
            },
          ],
        };
      });
    },
  };
}

interface Change {
  readonly event: 'policy.change' | 'policy.requirement' | 'policy.networks';
  readonly changes: readonly Readonly<Record<string, string>>[];
  /** The user it concerns. */
  readonly about?: string;
  readonly next: PolicyRow;
}

/** Second-factor rules of a person's organisations and roles, and of the person. */
function rulesFor(
  requirements: readonly Requirement[],
  { id, memberships }: { readonly id: UserId; readonly memberships: readonly Membership[] },
): SecondFactorLevel[] {
  if (requirements.length === 0) return [];
  const organisations = new Set<string>(memberships.map((one) => one.organisationId));
  const roles = new Set(memberships.flatMap((one) => one.roles.map((role) => role.id)));
  const holds = {
    user: (of: string) => of === id,
    organisation: organisations.has.bind(organisations),
    role: roles.has.bind(roles),
  };
  return requirements.flatMap((one) => (holds[one.scope](one.scopeId) ? [one.secondFactor] : []));
}

function snapshotOf(row: PolicyRow, defaults: IdentitySettings): Snapshot {
  const stored = typeof row.settings === 'object' && row.settings !== null ? row.settings : {};
  // What a newer version has added or allowed is passed over, setting by setting; the rest still holds.
  const known = Object.fromEntries(
    Object.entries(stored).filter(([name, value]) => {
      const schema = Object.hasOwn(IdentitySettings.shape, name)
        ? IdentitySettings.shape[name as keyof IdentitySettings]
        : undefined;
      return schema?.safeParse(value).success === true;
    }),
  );
  return {
    settings: IdentitySettings.parse({ ...defaults, ...known }),
    version: row.version,
    requirements: row.requirements,
    networks: row.networks,
    changed: false,
    matchers: new Map(row.networks.map((rule) => [`${rule.scope} ${rule.scopeId}`, networkMatcher(rule.networks)])),
  };
}

function allowed(
  { matchers }: Snapshot,
  door: 'users' | 'nodes',
  address: string | undefined,
  roles: readonly string[],
): boolean {
  if (matchers.size === 0) return true;
  return [`door ${door}`, ...roles.map((role) => `role ${role}`)].every(
    (name) => matchers.get(name)?.(address) !== false,
  );
}

function differences(settings: IdentitySettings, defaults: IdentitySettings): object {
  return Object.fromEntries(
    Object.entries(settings).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(defaults[name as keyof IdentitySettings]),
    ),
  );
}

/** Reads through to what is in force at the moment of reading; parts of identity hold it for as long as they live. */
function liveView(read: () => IdentitySettings): IdentitySettings {
  const view = {};
  for (const name of Object.keys(read())) {
    Object.defineProperty(view, name, { enumerable: true, get: () => read()[name as keyof IdentitySettings] });
  }
  // Every key of the settings has its getter above.
  return view as IdentitySettings;
}
