/**
 * Sharing a client with an organisation that has no record of its own for the person. Whoever has a record may share, whoever was
 * merely shared with may not pass it on; the reason stays with it, and ending it ends what it showed.
 */
import { newId } from '../../crypto/index.ts';
import { utf8Decode, utf8Encode } from '../../kernel/bytes.ts';
import type { Branded, OrganisationId, ResourceId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import { statement, type Transaction } from '../../platform/db/sql.ts';
import { sealedAtRest } from '../../crypto/index.ts';
import type { ResealParticipant } from '../../store/index.ts';
import { ledgerActor } from './ledger.ts';
import { clientNotFound, shareUnknown } from './problems.ts';
import type { RoundDeps } from './round-loading.ts';
import { writeRound } from './round-writing.ts';
import { loadGoldens } from './stewardship.ts';
import { readGoldens, takeRegistryLock } from './store.ts';
import { visibleAmong, withinReach } from './visibility.ts';

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

const context = (id: string) => ({ table: 'registry.share', type: 'detail', id, version: 0 });

export interface Sharing {
  readonly goldenId: ResourceId;
  readonly organisationId: OrganisationId;
  readonly reason: string;
}

export async function shareClient(deps: RoundDeps, actor: Actor, what: Sharing): Promise<AuditReceipt> {
  return await changeShares(deps, actor, { ...what, event: 'client.share' }, async (tx, nowMs) => {
    const id = newId<ShareId>();
    const detail: ShareDetail = { by: ledgerActor(actor), reason: what.reason };
    const sealed = deps.keyRing.seal(utf8Encode(JSON.stringify(detail)), context(id));
    await tx.run(INSERT, [what.goldenId, id, what.organisationId, sealed, new Date(nowMs)]);
  });
}

/** Throws `share-unknown` where nothing is shared with that organisation. */
export async function unshareClient(deps: RoundDeps, actor: Actor, what: Sharing): Promise<AuditReceipt> {
  return await changeShares(deps, actor, { ...what, event: 'client.unshare' }, async (tx, nowMs) => {
    if ((await tx.run(END, [what.goldenId, what.organisationId, new Date(nowMs)])) === 0) throw shareUnknown();
  });
}

async function changeShares(
  deps: RoundDeps,
  actor: Actor,
  what: Sharing & { readonly event: 'client.share' | 'client.unshare' },
  change: (tx: Transaction, nowMs: number) => Promise<void>,
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
    await change(tx, nowMs);
    const golden = state.golden(goldenId);
    golden.sharedWith = (await tx.rows(STANDING, [goldenId])).map((one) => one.organisation_id);
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
  if (within !== undefined && !(await visibleAmong(deps.database, [goldenId], within)).has(goldenId))
    throw clientNotFound();
  const [row] = await readGoldens(deps.database, [goldenId]);
  if (!row || row.deleted) throw clientNotFound();
  const sharing = await withinReach(deps, actor.principal, 'client.share');
  const own = await deps.database.rows(OWN, [goldenId, sharing?.domainIds ?? null]);
  if (within !== undefined && own.length === 0) return { shares: [], mayShare: false };
  const shares = (await deps.database.rows(STANDING, [goldenId])).map((one) => ({
    organisationId: one.organisation_id,
    sharedMs: one.shared_at.getTime(),
    ...openDetail(deps, one),
  }));
  return {
    shares,
    mayShare: actor.principal.permissions.has('client.share') && row.replaced_by === null && own.length > 0,
  };
}

const OWN = statement(
  'registry.own-part',
  'SELECT FROM registry.source WHERE golden_id = $1 AND ($2::int[] IS NULL OR domain_id = ANY ($2)) LIMIT 1',
);

function openDetail({ keyRing }: Pick<RoundDeps, 'keyRing'>, row: Pick<ShareRow, 'share_id' | 'detail'>): ShareDetail {
  // Written by shareClient; the seal vouches for the shape.
  return JSON.parse(utf8Decode(keyRing.open(sealedAtRest(row.detail), context(row.share_id)))) as ShareDetail;
}

const NEXT = statement<ShareRow & { readonly golden_id: ResourceId }>(
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

/** The part of shares in a key rotation. */
export function shareParticipant({ keyRing }: Pick<RoundDeps, 'keyRing'>): ResealParticipant {
  return {
    name: 'registry.share',
    kinds: ['data'],
    count: async (sql) => (await sql.rows(COUNT))[0]?.n ?? 0,
    async resealBatch(tx, { cursor, limit }) {
      const rows = await tx.rows(NEXT, [cursor ?? '00000000-0000-0000-0000-000000000000', limit]);
      for (const row of rows) {
        const plain = keyRing.open(sealedAtRest(row.detail), context(row.share_id));
        await tx.run(RESEAL, [row.golden_id, row.share_id, keyRing.seal(plain, context(row.share_id))]);
      }
      return { cursor: rows.length < limit ? undefined : rows.at(-1)?.share_id, visited: rows.length };
    },
  };
}
