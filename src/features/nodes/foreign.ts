import { newId } from '../../crypto/index.ts';
import type { NodeId, OrganisationId } from '../../kernel/ids.ts';
import { parseId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { isUniqueViolation, type Transaction } from '../../platform/db/index.ts';
import type { AuditReceipt } from '../../platform/http/index.ts';
import { assertFitForAuthority, inspectCertificate } from '../../platform/tls/index.ts';
import type { AuditInput } from '../audit/model.ts';
import { nodeProblem, nodeUnknown } from './errors.ts';
import { fetchList, newerList, withList } from './foreign-lists.ts';
import { assertLiving, type NodeParts } from './parts.ts';
import type { AuthorityTrustRow, NameAttribute, NameRuleRow } from './rows.ts';
import { NOTIFY } from './store.ts';
import {
  INSERT_FOREIGN,
  INSERT_RULE,
  LIST_FOREIGN,
  LIST_RULES,
  LOCK_FOREIGN,
  NOTE_CRL_TRY,
  WRITE_FOREIGN,
  WRITE_RULE,
} from './trust-store.ts';

/** Authorities of others, and which of their certificates speak for which node. A rule names one name exactly: no patterns. */
export interface ForeignAuthorities {
  list(actor: Actor): Promise<{ readonly authorities: readonly ForeignAuthority[]; readonly audited: AuditReceipt }>;
  add(actor: Actor, wanted: NewForeignAuthority): Promise<Trusted>;
  remove(actor: Actor, id: string, reason: string): Promise<Trusted>;
  /** Takes over a list of revoked certificates; refuses one that the authority did not sign, or that is older than the present one. */
  setCrl(actor: Actor, id: string, crl: string | Uint8Array): Promise<Trusted>;
  /**
   * Fetches lists from this address from now on; null: no more. The first one is fetched at once: an address that gives none is
   * refused, with the reason.
   */
  setCrlUrl(actor: Actor, id: string, url: string | null): Promise<Trusted>;
  addRule(actor: Actor, rule: NewRule): Promise<Trusted>;
  removeRule(actor: Actor, id: string): Promise<Trusted>;
}

export interface Trusted {
  readonly authorities: readonly ForeignAuthority[];
  readonly audited: AuditReceipt;
}

export interface NewForeignAuthority {
  readonly name: string;
  /** PEM of the authority that signs the nodes' certificates itself. */
  readonly certificate: string;
  /** Takes certificates of more than two years, and ends them after two. */
  readonly acceptLong: boolean;
  /** Refuses everybody of this authority when its newest list has run out. */
  readonly crlRequired: boolean;
}

export interface NewRule {
  readonly authorityId: string;
  readonly nodeId: string;
  readonly attribute: NameAttribute;
  readonly value: string;
}

export interface ForeignAuthority {
  readonly id: string;
  readonly name: string;
  readonly subject: string;
  readonly sha256: string;
  readonly notAfterMs: number;
  readonly acceptLong: boolean;
  readonly crlRequired: boolean;
  readonly crlNextUpdateMs?: number;
  readonly hasCrl: boolean;
  readonly crlUrl?: string;
  readonly crlTriedAtMs?: number;
  /** Why the last fetch failed, as a code. */
  readonly crlFailure?: string;
  readonly intact: boolean;
  readonly rules: readonly NameRule[];
}

export interface NameRule {
  readonly id: string;
  readonly nodeId: NodeId;
  readonly attribute: NameAttribute;
  readonly value: string;
}

export function createForeignAuthorities(parts: NodeParts): ForeignAuthorities {
  const rows = createRows(parts);
  return { ...authorityActs(parts, rows), ...ruleActs(parts, rows) };
}

type Rows = ReturnType<typeof createRows>;

/** Reading, changing and writing the rows of authorities: what each act needs. */
function createRows(parts: NodeParts) {
  const { database, binder, audit } = parts;

  async function read(tx: Transaction | typeof database, organisationId: OrganisationId): Promise<ForeignAuthority[]> {
    const [rows, rules] = [await tx.rows(LIST_FOREIGN), await tx.rows(LIST_RULES)];
    return rows
      .filter((row) => row.organisation_id === organisationId)
      .map((row) =>
        shown(
          row,
          rules.filter((rule) => rule.authority_id === row.id),
          binder.isAuthorityIntact(row),
        ),
      );
  }

  async function change(
    actor: Actor,
    act: (
      tx: Transaction,
      organisationId: OrganisationId,
    ) => Promise<Pick<AuditInput, 'event' | 'action' | 'detail' | 'reason'>>,
  ) {
    const organisationId = await parts.organisationFor(actor);
    return database.transaction(async (tx) => {
      tx.afterCommit(parts.forget);
      const event = await act(tx, organisationId);
      const audited = await audit.record(tx, [{ actor, outcome: 'success', ...event }]);
      await tx.rows(NOTIFY);
      return { authorities: await read(tx, organisationId), audited };
    });
  }

  async function own(tx: Transaction, id: string, organisationId: OrganisationId): Promise<AuthorityTrustRow> {
    const [row] = parseId(id) === undefined ? [] : await tx.rows(LOCK_FOREIGN, [id]);
    if (row === undefined || row.organisation_id !== organisationId)
      throw nodeProblem('not-found', 'authority-unknown', 'There is no such authority.');
    return row;
  }

  async function write(tx: Transaction, row: AuthorityTrustRow): Promise<void> {
    const { id, crl, crl_next_update, crl_required, removed_at, crl_url } = row;
    await tx.run(WRITE_FOREIGN, [id, crl, crl_next_update, crl_required, removed_at, binder.authority(row), crl_url]);
  }

  return { read, change, own, write };
}

type AuthorityActs = Pick<ForeignAuthorities, 'list' | 'add' | 'remove' | 'setCrl' | 'setCrlUrl'>;

function authorityActs(parts: NodeParts, { read, change, own, write }: Rows): AuthorityActs {
  const { database, binder, clock, audit } = parts;
  return {
    async list(actor) {
      const authorities = await read(database, await parts.organisationFor(actor));
      const audited = await audit.recordNow([{ actor, event: 'trust.list', action: 'R', outcome: 'success' }]);
      return { authorities, audited };
    },
    async add(actor, wanted) {
      const facts = inspectCertificate(wanted.certificate);
      assertFitForAuthority(facts);
      return change(actor, async (tx, organisationId) => {
        const row = newAuthority(wanted, facts, { organisationId, nowMs: clock.nowMs() });
        const values = [
          row.id,
          row.organisation_id,
          row.name,
          row.certificate,
          row.sha256,
          row.not_after,
          row.accept_long,
        ];
        const more = [
          row.crl,
          row.crl_next_update,
          row.crl_required,
          row.created_at,
          row.removed_at,
          binder.authority(row),
        ];
        await onceOnly(
          tx.run(INSERT_FOREIGN, [...values, ...more]),
          'authority-taken',
          'This authority is trusted already.',
        );
        return { event: 'trust.add', action: 'C', detail: { authority: row.name, certificateSha256: facts.sha256 } };
      });
    },
    remove: (actor, id, reason) =>
      change(actor, async (tx, organisationId) => {
        const row = await own(tx, id, organisationId);
        await write(tx, { ...row, removed_at: new Date(clock.nowMs()) });
        return { event: 'trust.remove', action: 'D', reason, detail: { authority: row.name } };
      }),
    setCrl: (actor, id, crl) =>
      change(actor, async (tx, organisationId) => {
        const row = await own(tx, id, organisationId);
        const list = await newerList(row, crl);
        await write(tx, withList(row, list));
        return { event: 'trust.crl', action: 'U', detail: { authority: row.name, revoked: String(list.serials.size) } };
      }),
    async setCrlUrl(actor, id, url) {
      const fetched = url === null ? undefined : await fetchList(parts, url);
      return change(actor, async (tx, organisationId) => {
        const row = await own(tx, id, organisationId);
        const list = fetched === undefined ? undefined : await newerList(row, fetched);
        await write(tx, { ...(list === undefined ? row : withList(row, list)), crl_url: url });
        await tx.run(NOTE_CRL_TRY, [id, url === null ? null : new Date(clock.nowMs()), null]);
        const revoked = list === undefined ? {} : { revoked: String(list.serials.size) };
        return {
          event: 'trust.crl',
          action: 'U',
          detail: { authority: row.name, fetched: String(url !== null), ...revoked },
        };
      });
    },
  };
}

function ruleActs(parts: NodeParts, { change, own }: Rows): Pick<ForeignAuthorities, 'addRule' | 'removeRule'> {
  const { binder, clock } = parts;
  return {
    addRule: (actor, wanted) =>
      change(actor, async (tx, organisationId) => {
        const authority = await own(tx, wanted.authorityId, organisationId);
        const nodeId = parseId<NodeId>(wanted.nodeId);
        if (nodeId === undefined) throw nodeUnknown();
        const node = await parts.reader.row(tx, [organisationId], { id: nodeId });
        assertLiving(parts, node);
        const row = newRule(wanted, nodeId, clock.nowMs());
        const values = [
          row.id,
          row.authority_id,
          row.node_id,
          row.attribute,
          row.value,
          row.created_at,
          row.removed_at,
        ];
        const taken = `A certificate of "${authority.name}" with this name speaks for a node already.`;
        await onceOnly(tx.run(INSERT_RULE, [...values, binder.rule(row)]), 'name-rule-taken', taken);
        const detail = { authority: authority.name, node: node.name, name: `${row.attribute}=${row.value}` };
        return { event: 'trust.add', action: 'C', detail };
      }),
    removeRule: (actor, id) =>
      change(actor, async (tx, organisationId) => {
        const rule = (await tx.rows(LIST_RULES)).find((candidate) => candidate.id === id);
        if (rule === undefined) throw nodeProblem('not-found', 'authority-unknown', 'There is no such rule.');
        const authority = await own(tx, rule.authority_id, organisationId);
        const removed = { ...rule, removed_at: new Date(clock.nowMs()) };
        await tx.run(WRITE_RULE, [rule.id, removed.removed_at, binder.rule(removed)]);
        const detail = { authority: authority.name, name: `${rule.attribute}=${rule.value}` };
        return { event: 'trust.remove', action: 'D', detail };
      }),
  };
}

async function onceOnly(
  work: Promise<unknown>,
  code: 'authority-taken' | 'name-rule-taken',
  text: string,
): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (isUniqueViolation(error)) throw nodeProblem('conflict', code, `${text} Nothing was changed.`);
    throw error;
  }
}

function newAuthority(
  wanted: NewForeignAuthority,
  facts: ReturnType<typeof inspectCertificate>,
  { organisationId, nowMs }: { readonly organisationId: OrganisationId; readonly nowMs: number },
): Omit<AuthorityTrustRow, 'binding'> {
  return {
    id: newId(),
    organisation_id: organisationId,
    name: wanted.name,
    certificate: facts.pem,
    sha256: Buffer.from(facts.sha256, 'hex'),
    not_after: new Date(facts.notAfterMs),
    accept_long: wanted.acceptLong,
    crl: null,
    crl_next_update: null,
    crl_required: wanted.crlRequired,
    crl_url: null,
    crl_tried_at: null,
    crl_failure: null,
    crl_stale_told_at: null,
    created_at: new Date(nowMs),
    removed_at: null,
  };
}

function newRule(wanted: NewRule, nodeId: NodeId, nowMs: number): Omit<NameRuleRow, 'binding'> {
  return {
    id: newId(),
    authority_id: wanted.authorityId,
    node_id: nodeId,
    attribute: wanted.attribute,
    value: wanted.value.trim().toLowerCase(),
    created_at: new Date(nowMs),
    removed_at: null,
  };
}

function shown(row: AuthorityTrustRow, rules: readonly NameRuleRow[], intact: boolean): ForeignAuthority {
  return {
    id: row.id,
    name: row.name,
    subject: inspectCertificate(row.certificate).subject,
    sha256: row.sha256.toString('hex'),
    notAfterMs: row.not_after.getTime(),
    acceptLong: row.accept_long,
    crlRequired: row.crl_required,
    hasCrl: row.crl !== null,
    intact,
    ...(row.crl_url === null ? {} : { crlUrl: row.crl_url }),
    ...(row.crl_tried_at === null ? {} : { crlTriedAtMs: row.crl_tried_at.getTime() }),
    ...(row.crl_failure === null ? {} : { crlFailure: row.crl_failure }),
    ...(row.crl_next_update === null ? {} : { crlNextUpdateMs: row.crl_next_update.getTime() }),
    rules: rules.map(({ id, node_id: nodeId, attribute, value }) => ({ id, nodeId, attribute, value })),
  };
}
