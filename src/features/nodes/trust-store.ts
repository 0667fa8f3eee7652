import { statement } from '../../platform/db/index.ts';
import type { AuthorityTrustRow, NameRuleRow } from './rows.ts';

/** SQL for authorities of others, their name rules, the list of trusted certificates, and used assertions. */
const FIRST_COLUMNS = `id, organisation_id, name, certificate, sha256, not_after, accept_long, crl, crl_next_update, crl_required,
  created_at, removed_at, binding`;
const AUTHORITY_COLUMNS = `${FIRST_COLUMNS}, crl_url, crl_tried_at, crl_failure, crl_stale_told_at`;

export const LIST_FOREIGN = statement<AuthorityTrustRow>(
  'nodes.list-foreign',
  `SELECT ${AUTHORITY_COLUMNS} FROM nodes.foreign_authority WHERE removed_at IS NULL ORDER BY lower(name), id`,
);

/** $1 id. */
export const LOCK_FOREIGN = statement<AuthorityTrustRow>(
  'nodes.lock-foreign',
  `SELECT ${AUTHORITY_COLUMNS} FROM nodes.foreign_authority WHERE id = $1 AND removed_at IS NULL FOR UPDATE`,
);

export const INSERT_FOREIGN = statement(
  'nodes.insert-foreign',
  `INSERT INTO nodes.foreign_authority (${FIRST_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
);

export const WRITE_FOREIGN = statement(
  'nodes.write-foreign',
  `UPDATE nodes.foreign_authority SET crl = $2, crl_next_update = $3, crl_required = $4, removed_at = $5, binding = $6,
     crl_url = $7 WHERE id = $1`,
);

/** How the last fetch went. $1 id, $2 when, $3 the failure's code or null. */
export const NOTE_CRL_TRY = statement(
  'nodes.note-crl-try',
  'UPDATE nodes.foreign_authority SET crl_tried_at = $2, crl_failure = $3 WHERE id = $1',
);
/** $1 id, $2 when it was told that the list ran out; null: it has not. */
export const NOTE_CRL_STALE = statement(
  'nodes.note-crl-stale',
  'UPDATE nodes.foreign_authority SET crl_stale_told_at = $2 WHERE id = $1',
);

const RULE_COLUMNS = 'id, authority_id, node_id, attribute, value, created_at, removed_at, binding';

export const LIST_RULES = statement<NameRuleRow>(
  'nodes.list-rules',
  `SELECT ${RULE_COLUMNS} FROM nodes.name_rule WHERE removed_at IS NULL ORDER BY value, id`,
);

export const INSERT_RULE = statement(
  'nodes.insert-rule',
  `INSERT INTO nodes.name_rule (${RULE_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
);

/** $1 id, $2 removal, $3 binding. */
export const WRITE_RULE = statement(
  'nodes.write-rule',
  'UPDATE nodes.name_rule SET removed_at = $2, binding = $3 WHERE id = $1',
);

/** Fingerprints of certificates that are trusted by themselves; their chain does not matter. */
export const LIST_TRUSTED = statement<{ readonly sha256: Buffer }>(
  'nodes.list-trusted',
  `SELECT c.sha256 FROM nodes.certificate c JOIN nodes.node n ON n.id = c.node_id
   WHERE c.origin = 'trusted' AND n.revoked_at IS NULL`,
);

/** $1 hash, $2 expiry: one row the first time, none when it was used before. */
export const USE_ASSERTION = statement<{ readonly hash: Buffer }>(
  'nodes.use-assertion',
  'INSERT INTO nodes.used_assertion (hash, expires_at) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING RETURNING hash',
);

export const CLEAR_ASSERTIONS = statement(
  'nodes.clear-assertions',
  'DELETE FROM nodes.used_assertion WHERE expires_at < $1',
);
