import type { UserId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import type { SecondFactorLevel } from './model.ts';
import type { RowBinder } from './row-binding.ts';
import { exceptionRow, policyRow } from './row-facts.ts';

export const REQUIREMENT_SCOPES = ['organisation', 'role', 'user'] as const;
export type RequirementScope = (typeof REQUIREMENT_SCOPES)[number];

export interface Requirement {
  readonly scope: RequirementScope;
  readonly scopeId: string;
  readonly secondFactor: SecondFactorLevel;
}

export interface AllowedNetworks {
  readonly scope: 'door' | 'role';
  /** `users` or `nodes` for a door, else a role's name or id. */
  readonly scopeId: string;
  readonly networks: readonly string[];
}

/** The policy as one look at the database. */
export interface PolicyRow {
  /** 0: never set. */
  readonly version: number;
  /** What differs from the defaults; checked by the reader. */
  readonly settings: unknown;
  readonly requirements: readonly Requirement[];
  readonly networks: readonly AllowedNetworks[];
}

export const NO_POLICY: PolicyRow = { version: 0, settings: {}, requirements: [], networks: [] };

interface ReadRow {
  readonly version: number | null;
  readonly settings: unknown;
  readonly binding: Uint8Array | null;
  readonly networks: readonly AllowedNetworks[] | null;
  readonly requirements: readonly Requirement[] | null;
}

/** Cheap to ask every second: what it answers changes with every change we make. */
const MARK = statement<{ readonly version: number; readonly binding: Uint8Array | null }>(
  'identity.policy-mark',
  'SELECT version, binding FROM identity.policy',
);
const READ = statement<ReadRow>(
  'identity.policy',
  `SELECT (SELECT version FROM identity.policy) AS version, (SELECT settings FROM identity.policy) AS settings,
     (SELECT binding FROM identity.policy) AS binding,
     (SELECT jsonb_agg(jsonb_build_object('scope', scope, 'scopeId', scope_id, 'networks', networks) ORDER BY scope, scope_id)
      FROM identity.allowed_networks) AS networks,
     (SELECT jsonb_agg(jsonb_build_object('scope', scope, 'scopeId', scope_id, 'secondFactor', second_factor)
                       ORDER BY scope, scope_id) FROM identity.requirements) AS requirements`,
);
const LOCK = statement('identity.policy-lock', 'SELECT pg_advisory_xact_lock(7215330301)');
const WRITE = statement(
  'identity.policy-write',
  `INSERT INTO identity.policy (settings, version, changed_at, binding) VALUES ($1::text::jsonb, $2, $3, $4)
   ON CONFLICT (one) DO UPDATE SET settings = EXCLUDED.settings, version = EXCLUDED.version,
     changed_at = EXCLUDED.changed_at, binding = EXCLUDED.binding`,
);
const NOTIFY = statement('identity.policy-notify', `SELECT pg_notify('careseal_policy', '')`);
const EXCEPTIONS = statement<{
  readonly id: string;
  readonly approved_by: UserId | null;
  readonly granted_at: Date;
  readonly ends_at: Date;
  readonly binding: Uint8Array | null;
}>(
  'identity.exceptions-living',
  `SELECT id, approved_by, granted_at, ends_at, binding FROM identity.exceptions
   WHERE user_id = $1 AND ended_at IS NULL AND ends_at > $2`,
);
const SET_REQUIREMENT = statement(
  'identity.requirement-set',
  `INSERT INTO identity.requirements (scope, scope_id, second_factor) VALUES ($1, $2, $3)
   ON CONFLICT (scope, scope_id) DO UPDATE SET second_factor = EXCLUDED.second_factor`,
);
const DELETE_REQUIREMENT = statement(
  'identity.requirement-delete',
  'DELETE FROM identity.requirements WHERE scope = $1 AND scope_id = $2',
);
const SET_NETWORKS = statement(
  'identity.networks-set',
  `INSERT INTO identity.allowed_networks (scope, scope_id, networks) VALUES ($1, $2, $3)
   ON CONFLICT (scope, scope_id) DO UPDATE SET networks = EXCLUDED.networks`,
);
const DELETE_NETWORKS = statement(
  'identity.networks-delete',
  'DELETE FROM identity.allowed_networks WHERE scope = $1 AND scope_id = $2',
);
const CLEAR = [
  statement('identity.requirements-clear', 'DELETE FROM identity.requirements'),
  statement('identity.networks-clear', 'DELETE FROM identity.allowed_networks'),
];

export type PolicyStore = ReturnType<typeof createPolicyStore>;

/** SQL of the policy. Settings, rules and networks are bound together (row-facts.ts). */
export function createPolicyStore(rows: RowBinder) {
  return {
    /** What changes with every change of the policy; empty while it was never set. */
    async mark(sql: Sql): Promise<string> {
      const [row] = await sql.rows(MARK);
      return markOf(row);
    },
    /** `intact`: exactly as we wrote it. */
    async read(sql: Sql): Promise<PolicyRow & { readonly intact: boolean; readonly mark: string }> {
      const [row] = await sql.rows(READ);
      const found: PolicyRow = {
        version: row?.version ?? 0,
        settings: row?.settings ?? {},
        requirements: row?.requirements ?? [],
        networks: row?.networks ?? [],
      };
      const empty = found.requirements.length + found.networks.length === 0;
      const neverSet = row?.version === null || row?.version === undefined;
      const intact = neverSet ? empty : rows.fits(bound(found), row.binding);
      return { ...found, intact, mark: markOf(row) };
    },
    /** One change after the other, so that each is audited against what it really replaced. */
    async lock(tx: Transaction): Promise<void> {
      await tx.run(LOCK);
    },
    /** Binds the whole to what `next` says; requirements and networks are written by the functions below. */
    async write(tx: Transaction, next: PolicyRow, nowMs: number): Promise<void> {
      const settings = JSON.stringify(next.settings);
      await tx.run(WRITE, [settings, next.version, new Date(nowMs), rows.bind(bound(next))]);
    },
    /** Before a policy that somebody else has changed is set anew. */
    async clear(tx: Transaction): Promise<void> {
      for (const one of CLEAR) await tx.run(one);
    },
    /** Tells every process, at commit. */
    async notify(tx: Transaction): Promise<void> {
      await tx.run(NOTIFY);
    },
    /** Whether this person may do without a required second factor now. */
    async isExcepted(sql: Sql, userId: UserId, nowMs: number): Promise<boolean> {
      const living = await sql.rows(EXCEPTIONS, [userId, new Date(nowMs)]);
      return living.some((one) =>
        rows.fits(
          exceptionRow({
            ...{ id: one.id, userId, approvedBy: one.approved_by },
            ...{ grantedMs: one.granted_at.getTime(), endsMs: one.ends_at.getTime() },
          }),
          one.binding,
        ),
      );
    },
    /** undefined: no rule of its own. */
    async setRequirement(
      tx: Transaction,
      at: { readonly scope: RequirementScope; readonly scopeId: string },
      level: SecondFactorLevel | undefined,
    ): Promise<void> {
      if (level === undefined) await tx.run(DELETE_REQUIREMENT, [at.scope, at.scopeId]);
      else await tx.run(SET_REQUIREMENT, [at.scope, at.scopeId, level]);
    },
    async setNetworks(tx: Transaction, { scope, scopeId, networks }: AllowedNetworks): Promise<void> {
      if (networks.length === 0) await tx.run(DELETE_NETWORKS, [scope, scopeId]);
      else await tx.run(SET_NETWORKS, [scope, scopeId, networks]);
    },
  };
}

/** What changes with every change of the policy; empty while it was never set. */
export function markOf(
  row: { readonly version: number | null; readonly binding: Uint8Array | null } | undefined,
): string {
  if (row === undefined || row.version === null) return '';
  return `${row.version} ${Buffer.from(row.binding ?? []).toString('base64')}`;
}

function bound({ version, settings, requirements, networks }: PolicyRow) {
  const rules = [
    ...requirements.map(({ scope, scopeId, secondFactor }) => `second-factor ${scope} ${scopeId} ${secondFactor}`),
    ...networks.map(({ scope, scopeId, networks: of }) => `network ${scope} ${scopeId} ${of.join(' ')}`),
  ];
  return policyRow({ version, settings, rules });
}
