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
import { type AllowedNetworks, policyStore, type Requirement } from './policy-store.ts';

export interface PolicyDeps {
  readonly database: Database;
  readonly audit: Audit;
  readonly clock: Clock;
  /** What holds where nothing was set. */
  readonly defaults: IdentitySettings;
}

/** The same bound as of sessions: a change holds everywhere within a second, also where a notification was lost. */
const FRESH_MS = 1_000;
const CHANNEL = 'careseal_policy';

interface Snapshot {
  readonly settings: IdentitySettings;
  readonly version: number;
  readonly networks: readonly AllowedNetworks[];
  /** Ready to be asked, by `door users`, `role administrator`. */
  readonly matchers: ReadonlyMap<string, (address: string | undefined) => boolean>;
}

export type Policy = ReturnType<typeof createPolicy>;

/** The policy in force, changed while serving. `settings` always shows the latest values this process has seen. */
export function createPolicy(deps: PolicyDeps) {
  const { database, audit, clock, defaults } = deps;
  let snapshot = snapshotOf({ version: 0, settings: {}, networks: [] }, defaults);
  let loadedMs = Number.NEGATIVE_INFINITY;
  let loading: Promise<void> | undefined;

  async function load(sql: Sql): Promise<void> {
    snapshot = snapshotOf(await policyStore.read(sql), defaults);
    loadedMs = clock.nowMs();
  }

  /** At most one look at the database a second, whoever asks; they share it. */
  async function refresh(): Promise<void> {
    const ageMs = clock.nowMs() - loadedMs;
    if (ageMs >= 0 && ageMs < FRESH_MS) return;
    loading ??= load(database).finally(() => {
      loading = undefined;
    });
    await loading;
  }

  async function change(actor: Actor, work: (tx: Transaction) => Promise<Change>): Promise<AuditReceipt> {
    const receipt = await database.transaction(async (tx) => {
      await policyStore.lock(tx);
      const { event, changes, about } = await work(tx);
      await policyStore.notify(tx);
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
  }

  return {
    settings: liveView(() => snapshot.settings),
    refresh,
    version: (): number => snapshot.version,
    networks: (): readonly AllowedNetworks[] => snapshot.networks,

    /** Second factor of this person: the strictest of server, organisations, roles and person, exceptions considered. */
    async requirementFor(sql: Sql, userId: UserId): Promise<SecondFactorLevel> {
      const facts = await policyStore.requirementFacts(sql, userId, clock.nowMs());
      return requirementOf({ server: snapshot.settings.secondFactor, ...facts });
    },

    /** Whether somebody at this address may use the door, and hold these roles there. */
    isNetworkAllowed(door: 'users' | 'nodes', address: string | undefined, principal?: Principal): boolean {
      return allowed(snapshot, door, address, principal?.kind === 'user' ? principal.roles : []);
    },

    ...changesOfSettings(deps, change),
    ...changesOfRules(deps, change),

    /** Listens for changes made by other processes. */
    async start(): Promise<() => Promise<void>> {
      await load(database);
      return await database.listen(CHANNEL, () => {
        loadedMs = Number.NEGATIVE_INFINITY;
        // A failure is made good by the next look, at most a second later.
        void refresh().catch(() => undefined);
      });
    },
  };
}

type ChangePolicy = (actor: Actor, work: (tx: Transaction) => Promise<Change>) => Promise<AuditReceipt>;

function changesOfSettings({ clock, defaults }: PolicyDeps, change: ChangePolicy) {
  return {
    /** Sets some settings. Throws `policy-refused` for a value outside its range; nothing is changed then. */
    async set(actor: Actor, given: Readonly<Record<string, unknown>>): Promise<AuditReceipt> {
      return await change(actor, async (tx) => {
        const { settings } = snapshotOf(await policyStore.read(tx), defaults);
        const parsed = IdentitySettings.safeParse({ ...settings, ...given });
        if (!parsed.success) throw policyRefused(parsed.error.issues.map(({ path, message }) => ({ path, message })));
        const changes = settingChanges(settings, parsed.data);
        await policyStore.write(tx, differences(parsed.data, defaults), clock.nowMs());
        return { event: 'policy.change', changes: changes.length === 0 ? [{ what: 'nothing' }] : changes };
      });
    },
  };
}

function changesOfRules({ defaults }: PolicyDeps, change: ChangePolicy) {
  return {
    requirements: (sql: Sql): Promise<Requirement[]> => policyStore.requirements(sql),

    async setRequirement(
      actor: Actor,
      at: Pick<Requirement, 'scope' | 'scopeId'>,
      level: SecondFactorLevel | undefined,
    ): Promise<AuditReceipt> {
      return await change(actor, async (tx) => {
        const from = await policyStore.findRequirement(tx, at.scope, at.scopeId);
        await policyStore.setRequirement(tx, at, level);
        const detail = {
          what: `secondFactor ${at.scope}`,
          scope: at.scopeId,
          from: from ?? 'none',
          to: level ?? 'none',
        };
        return {
          event: 'policy.requirement',
          changes: [detail],
          ...(at.scope === 'user' ? { about: at.scopeId } : {}),
        };
      });
    },

    /** Networks of a door or role; none: any. Throws `network-would-lock-out` when it would shut out whoever sets it. */
    async setNetworks(actor: Actor, wanted: AllowedNetworks): Promise<AuditReceipt> {
      return await change(actor, async (tx) => {
        const before = await policyStore.read(tx);
        const others = before.networks.filter(
          ({ scope, scopeId }) => scope !== wanted.scope || scopeId !== wanted.scopeId,
        );
        const networks = wanted.networks.length === 0 ? others : [...others, wanted];
        const next = snapshotOf({ ...before, networks }, defaults);
        const { principal, origin } = actor;
        const stays = principal.kind !== 'user' || allowed(next, 'users', origin.address, principal.roles);
        if (!stays) throw networkWouldLockOut();
        await policyStore.setNetworks(tx, wanted);
        const old = before.networks.find(({ scope, scopeId }) => scope === wanted.scope && scopeId === wanted.scopeId);
        return {
          event: 'policy.networks',
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
}

function snapshotOf(
  row: { readonly version: number; readonly settings: unknown; readonly networks: readonly AllowedNetworks[] },
  defaults: IdentitySettings,
): Snapshot {
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
    networks: row.networks,
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
