/**
 * Sharing a client with an organisation that has no record of its own for the person. Whoever has a record may share, whoever was
 * merely shared with may not pass it on; the reason stays with it, and ending it ends what it showed.
 */
import { newId } from '../../crypto/index.ts';
import { utf8Decode, utf8Encode } from '../../kernel/bytes.ts';
import type { Branded, OrganisationId, ResourceId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import { sealedAtRest } from '../../crypto/index.ts';
import type { ResealParticipant } from '../../store/index.ts';
import { isProblem } from '../../kernel/problem.ts';
import { memberOf } from './golden-binding.ts';
import { ledgerActor } from './ledger.ts';
import { readPerson } from './person.ts';
import { clientNotFound, shareUnknown } from './problems.ts';
import type { RoundDeps } from './round-loading.ts';
import { writeRound } from './round-writing.ts';
import { loadGoldens } from './stewardship.ts';
import { readGoldens, takeRegistryLock } from './store.ts';
import { withinReach } from './visibility.ts';

type ShareId = Branded<'ShareId'>;

export interface ShareDetail {
  readonly by: { readonly kind: string; readonly id?: string; readonly name: string };
  readonly reason: string;
}

export interface Share extends ShareDetail {
  readonly organisationId: OrganisationId;
  readonly sharedMs: number;
}

interface ShareRow {
  readonly share_id: ShareId;
  readonly organisation_id: OrganisationId;
  readonly detail: Uint8Array;
  readonly shared_at: Date;
}

const STANDING = statement<ShareRow>(
  'registry.shares-standing',
  `SELECT share_id, organisation_id, detail, shared_at FROM registry.share
   WHERE golden_id = $1 AND ended_at IS NULL ORDER BY shared_at, share_id`,
);
const INSERT = statement(
  'registry.share-insert',
  `INSERT INTO registry.share (golden_id, share_id, organisation_id, detail, shared_at) VALUES ($1, $2, $3, $4, $5)
   ON CONFLICT DO NOTHING`,
);
const END = statement(
  'registry.share-end',
  'UPDATE registry.share SET ended_at = $3 WHERE golden_id = $1 AND organisation_id = $2 AND ended_at IS NULL',
);

type BoundShare = Pick<ShareRow, 'share_id' | 'organisation_id'> & { readonly golden_id: ResourceId };

/** A share says what it says of this client and organisation only. */
const context = ({ share_id, golden_id, organisation_id }: BoundShare) => ({
  ...{ table: 'registry.share', type: 'detail' },
  ...{ id: `${share_id} ${golden_id} ${organisation_id}`, version: 1 },
});
/** As earlier versions sealed it; opened until all of them have been sealed anew. */
const formerContext = (id: string) => ({ table: 'registry.share', type: 'detail', id, version: 0 });

export interface Sharing {
  readonly goldenId: ResourceId;
  readonly organisationId: OrganisationId;
  readonly reason: string;
}

export async function shareClient(deps: RoundDeps, actor: Actor, what: Sharing): Promise<AuditReceipt> {
  return await changeShares(deps, actor, { ...what, event: 'client.share' }, async (tx, { nowMs, former }) => {
    const id = newId<ShareId>();
    const { goldenId: golden_id, organisationId: organisation_id } = what;
    const detail: ShareDetail = { by: ledgerActor(actor), reason: what.reason };
    const at = context({ share_id: id, golden_id, organisation_id });
    const sealed = deps.keyRing.seal(utf8Encode(JSON.stringify(detail)), at);
    await tx.run(INSERT, [golden_id, id, organisation_id, sealed, new Date(nowMs)]);
    return [...new Set([...former, organisation_id])];
  });
}

/** Throws `share-unknown` where nothing is shared with that organisation. */
export async function unshareClient(deps: RoundDeps, actor: Actor, what: Sharing): Promise<AuditReceipt> {
  return await changeShares(deps, actor, { ...what, event: 'client.unshare' }, async (tx, { nowMs, former }) => {
    if (!former.includes(what.organisationId)) throw shareUnknown();
    await tx.run(END, [what.goldenId, what.organisationId, new Date(nowMs)]);
    return former.filter((id) => id !== what.organisationId);
  });
}

async function changeShares(
  deps: RoundDeps,
  actor: Actor,
  what: Sharing & { readonly event: 'client.share' | 'client.unshare' },
  /** Answers with whom it is shared now. The rows of shares say why; with whom, the golden record's bound row says. */
  change: (
    tx: Transaction,
    as: { readonly nowMs: number; readonly former: readonly OrganisationId[] },
  ) => Promise<readonly OrganisationId[]>,
): Promise<AuditReceipt> {
  const { goldenId, organisationId, reason, event } = what;
  return await deps.database.transaction(async (tx) => {
    await takeRegistryLock(tx);
    const [row] = await readGoldens(tx, [goldenId]);
    if (!row || row.deleted || row.replaced_by !== null) throw clientNotFound();
    const state = await loadGoldens(deps, tx, [goldenId]);
    const within = await withinReach(deps, actor.principal, 'client.share');
    const own = [...state.sources.values()].some((source) => within?.domainIds.includes(source.domainId) ?? true);
    if (!own) throw clientNotFound();
    const nowMs = deps.clock.nowMs();
    const golden = state.golden(goldenId);
    golden.sharedWith = await change(tx, { nowMs, former: row.shared_with });
    golden.shareChanged = true;
    golden.touched = true;
    await writeRound(deps, tx, { state, nowMs });
    return await deps.audit.record(tx, [
      {
        ...{ actor, event, action: 'U', outcome: 'success', reason },
        patients: [`Patient/${goldenId}`],
        entities: [{ reference: `Organization/${organisationId}`, role: 'security-resource' }],
      },
    ]);
  });
}

/** With whom the client is shared, for those who have a record of it; others see that they see it, and no more. */
export async function sharesOf(
  deps: RoundDeps,
  actor: Actor,
  goldenId: ResourceId,
): Promise<{ shares: Share[]; mayShare: boolean }> {
  const within = await withinReach(deps, actor.principal, 'client.read');
  const row = (await readPerson(deps, goldenId, within))?.golden;
  if (!row || row.deleted) throw clientNotFound();
  const sharing = await withinReach(deps, actor.principal, 'client.share');
  const own = row.members.map(memberOf).filter(({ domainId }) => sharing?.domainIds.includes(domainId) ?? true);
  if (within !== undefined && own.length === 0) return { shares: [], mayShare: false };
  const rows = await deps.database.rows(STANDING, [goldenId]);
  const shares = rows
    .filter((one) => row.shared_with.includes(one.organisation_id))
    .map((one) => ({
      organisationId: one.organisation_id,
      sharedMs: one.shared_at.getTime(),
      ...openDetail(deps, { ...one, golden_id: goldenId }),
    }));
  return {
    shares,
    mayShare: actor.principal.permissions.has('client.share') && row.replaced_by === null && own.length > 0,
  };
}

/** Shares that stand and whose own seal says so, oldest first: what a repair may go by. */
export async function readStandingShares(
  deps: Pick<RoundDeps, 'keyRing' | 'goldensBound'>,
  sql: Sql,
  goldenId: ResourceId,
): Promise<readonly { readonly organisationId: OrganisationId }[]> {
  const rows = await sql.rows(STANDING, [goldenId]);
  return rows
    .filter((row) => opened(deps, { ...row, golden_id: goldenId }) !== undefined)
    .map((row) => ({ organisationId: row.organisation_id }));
}

type WholeShare = ShareRow & BoundShare;

/** Who shared it and why; of a share that is not as it was written, that nobody knows. */
function openDetail(deps: RoundDeps, row: WholeShare): ShareDetail {
  const plain = opened(deps, row);
  // Written by shareClient; the seal vouches for the shape.
  if (plain !== undefined) return JSON.parse(utf8Decode(plain)) as ShareDetail;
  deps.onAltered(row.golden_id);
  return { by: { kind: 'unknown', name: 'unknown' }, reason: 'This entry was changed in the database.' };
}

/** Undefined: it was sealed for another share, or not by us. */
function opened(
  { keyRing, goldensBound }: Pick<RoundDeps, 'keyRing' | 'goldensBound'>,
  row: WholeShare,
): Uint8Array | undefined {
  const places = goldensBound?.isSet() === true ? [context(row)] : [context(row), formerContext(row.share_id)];
  for (const place of places) {
    try {
      return keyRing.open(sealedAtRest(row.detail), place);
    } catch (error) {
      if (!isProblem(error) || error.code !== 'seal-broken') throw error;
    }
  }
  return undefined;
}

const NEXT = statement<WholeShare>(
  'registry.share-reseal-next',
  `SELECT golden_id, share_id, organisation_id, detail, shared_at FROM registry.share
   WHERE share_id > $1 ORDER BY share_id LIMIT $2 FOR UPDATE`,
);
const RESEAL = statement(
  'registry.share-reseal',
  'UPDATE registry.share SET detail = $3 WHERE golden_id = $1 AND share_id = $2',
);
const COUNT = statement<{ readonly n: number }>(
  'registry.share-count',
  'SELECT count(*)::int AS n FROM registry.share',
);

const FORMER = statement<WholeShare>(
  'registry.shares-all',
  'SELECT golden_id, share_id, organisation_id, detail, shared_at FROM registry.share FOR UPDATE',
);

/** What earlier versions said of shares, sealed for their client and organisation. */
export async function resealShares(deps: Pick<RoundDeps, 'keyRing' | 'goldensBound'>, tx: Transaction): Promise<void> {
  for (const row of await tx.rows(FORMER)) await sealAnew(deps, tx, row);
}

async function sealAnew(
  deps: Pick<RoundDeps, 'keyRing' | 'goldensBound'>,
  tx: Transaction,
  row: WholeShare,
): Promise<void> {
  const plain = opened(deps, row);
  if (plain !== undefined) await tx.run(RESEAL, [row.golden_id, row.share_id, deps.keyRing.seal(plain, context(row))]);
}

/** The part of shares in a key rotation. One that somebody has put there stays as it is: it opens nothing, before and after. */
export function shareParticipant(deps: Pick<RoundDeps, 'keyRing' | 'goldensBound'>): ResealParticipant {
  return {
    name: 'registry.share',
    kinds: ['data'],
    count: async (sql) => (await sql.rows(COUNT))[0]?.n ?? 0,
    async resealBatch(tx, { cursor, limit }) {
      const rows = await tx.rows(NEXT, [cursor ?? '00000000-0000-0000-0000-000000000000', limit]);
      for (const row of rows) await sealAnew(deps, tx, row);
      return { cursor: rows.length < limit ? undefined : rows.at(-1)?.share_id, visited: rows.length };
    },
  };
}
