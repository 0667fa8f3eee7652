import type { UserId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import type { SecondFactorLevel } from './model.ts';

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
  readonly version: number;
  /** What differs from the defaults; checked by the reader. */
  readonly settings: unknown;
  readonly networks: readonly AllowedNetworks[];
}

const READ = statement<{ version: number | null; settings: unknown; networks: readonly AllowedNetworks[] | null }>(
  'identity.policy',
  `SELECT (SELECT version FROM identity.policy) AS version, (SELECT settings FROM identity.policy) AS settings,
     (SELECT jsonb_agg(jsonb_build_object('scope', scope, 'scopeId', scope_id, 'networks', networks) ORDER BY scope, scope_id)
      FROM identity.allowed_networks) AS networks`,
);
const LOCK = statement('identity.policy-lock', 'SELECT pg_advisory_xact_lock(7215330301)');
const WRITE = statement(
  'identity.policy-write',
  `INSERT INTO identity.policy (settings, version, changed_at) VALUES ($1::text::jsonb, 1, $2)
   ON CONFLICT (one) DO UPDATE SET settings = EXCLUDED.settings, version = identity.policy.version + 1, changed_at = $2`,
);
const NOTIFY = statement('identity.policy-notify', `SELECT pg_notify('careseal_policy', '')`);
const REQUIREMENT = statement<{ levels: readonly SecondFactorLevel[] | null; excepted: boolean }>(
  'identity.requirement',
  `SELECT (SELECT array_agg(r.second_factor) FROM identity.requirements r
           WHERE (r.scope = 'user' AND r.scope_id = $1::text)
              OR (r.scope = 'organisation' AND r.scope_id IN
                   (SELECT m.organisation_id::text FROM identity.memberships m WHERE m.user_id = $1::uuid))
              OR (r.scope = 'role' AND r.scope_id IN
                   (SELECT unnest(m.roles) FROM identity.memberships m WHERE m.user_id = $1::uuid))) AS levels,
          EXISTS (SELECT FROM identity.exceptions e
                  WHERE e.user_id = $1::uuid AND e.ended_at IS NULL AND e.ends_at > $2) AS excepted`,
);
const REQUIREMENTS = statement<{ scope: RequirementScope; scope_id: string; second_factor: SecondFactorLevel }>(
  'identity.requirements',
  'SELECT scope, scope_id, second_factor FROM identity.requirements ORDER BY scope, scope_id LIMIT 2000',
);
const FIND_REQUIREMENT = statement<{ second_factor: SecondFactorLevel }>(
  'identity.requirement-find',
  'SELECT second_factor FROM identity.requirements WHERE scope = $1 AND scope_id = $2',
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

/** SQL of the policy. */
export const policyStore = {
  async read(sql: Sql): Promise<PolicyRow> {
    const [row] = await sql.rows(READ);
    return { version: row?.version ?? 0, settings: row?.settings ?? {}, networks: row?.networks ?? [] };
  },
  /** One change after the other, so that each is audited against what it really replaced. */
  async lock(tx: Transaction): Promise<void> {
    await tx.run(LOCK);
  },
  async write(tx: Transaction, settings: object, nowMs: number): Promise<void> {
    await tx.run(WRITE, [JSON.stringify(settings), new Date(nowMs)]);
  },
  /** Tells every process, at commit. */
  async notify(tx: Transaction): Promise<void> {
    await tx.run(NOTIFY);
  },
  async requirementFacts(sql: Sql, userId: UserId, nowMs: number) {
    const [row] = await sql.rows(REQUIREMENT, [userId, new Date(nowMs)]);
    return { others: row?.levels ?? [], excepted: row?.excepted ?? false };
  },
  async requirements(sql: Sql): Promise<Requirement[]> {
    return (await sql.rows(REQUIREMENTS)).map(({ scope, scope_id, second_factor }) => ({
      scope,
      scopeId: scope_id,
      secondFactor: second_factor,
    }));
  },
  async findRequirement(sql: Sql, scope: RequirementScope, scopeId: string): Promise<SecondFactorLevel | undefined> {
    return (await sql.rows(FIND_REQUIREMENT, [scope, scopeId]))[0]?.second_factor;
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
