/**
 * Lists of revoked certificates of other authorities, fetched from where these publish them. A fetched list counts as a given one
 * does: signed by that authority, and not older than the present one. What was fetched is kept, so that an authority that cannot be
 * reached changes nothing until its list runs out; then it refuses or warns, as it is set (`crl_required`).
 */
import { newId } from '../../crypto/index.ts';
import { isProblem } from '../../kernel/problem.ts';
import { type ReadCrl, readCrl } from '../../platform/tls/index.ts';
import { bySystem } from './actor.ts';
import { nodeProblem } from './errors.ts';
import type { NodeParts } from './parts.ts';
import type { AuthorityTrustRow } from './rows.ts';
import { NOTIFY } from './store.ts';
import { LIST_FOREIGN, LOCK_FOREIGN, NOTE_CRL_STALE, NOTE_CRL_TRY, WRITE_FOREIGN } from './trust-store.ts';

const TIMEOUT_MS = 20_000;
/** A list of some 200,000 revoked certificates. */
const BYTES_MAX = 8_388_608;
/** How often a list is looked for while all is well, and after a failure. */
const EVERY_MS = 3_600_000;
const AFTER_FAILURE_MS = 300_000;

/** Told to the log: what an administrator should look at. */
export interface ListWarning {
  readonly authority: string;
  readonly what: 'fetch-failed' | 'list-over';
  readonly code?: string;
}

export interface ForeignLists {
  /** Fetches what is due and tells of lists that ran out. Answers what to warn of, each once. */
  refresh(): Promise<readonly ListWarning[]>;
}

export function createForeignLists(parts: NodeParts): ForeignLists {
  const { database, clock, binder } = parts;
  return {
    async refresh() {
      const warnings: ListWarning[] = [];
      for (const row of await database.rows(LIST_FOREIGN)) {
        if (!binder.isAuthorityIntact(row)) continue;
        if (row.crl_url !== null && isDue(row, clock.nowMs()))
          warnings.push(...(await refreshOne(parts, row, row.crl_url)));
      }
      for (const row of await database.rows(LIST_FOREIGN)) warnings.push(...(await tellOfAge(parts, row)));
      return warnings;
    },
  };
}

function isDue({ crl_tried_at: tried, crl_failure: failure, crl_next_update: next }: AuthorityTrustRow, nowMs: number) {
  const isOver = next !== null && next.getTime() <= nowMs;
  const pauseMs = failure !== null || isOver ? AFTER_FAILURE_MS : EVERY_MS;
  return tried === null || nowMs - tried.getTime() >= pauseMs;
}

async function refreshOne(parts: NodeParts, known: AuthorityTrustRow, url: string): Promise<ListWarning[]> {
  let failure: string | null = null;
  try {
    const bytes = await fetchList(parts, url);
    await takeOver(parts, known.id, url, bytes);
  } catch (error) {
    if (!isProblem(error) || error.code.startsWith('database')) throw error;
    failure = error.code;
  }
  await parts.database.run(NOTE_CRL_TRY, [known.id, new Date(parts.clock.nowMs()), failure]);
  if (failure === null || failure === known.crl_failure) return [];
  await record(parts, known, failure);
  return [{ authority: known.name, what: 'fetch-failed', code: failure }];
}

async function takeOver(parts: NodeParts, id: string, url: string, bytes: Uint8Array): Promise<void> {
  const { database, binder, audit } = parts;
  await database.transaction(async (tx) => {
    const [row] = await tx.rows(LOCK_FOREIGN, [id]);
    // Removed, changed by somebody else, or told another address meanwhile: then this list is nobody's wish.
    if (row === undefined || row.crl_url !== url || !binder.isAuthorityIntact(row)) return;
    const list = await newerList(row, bytes);
    if (row.crl !== null && Buffer.from(list.der).equals(row.crl)) return;
    const next = withList(row, list);
    const { crl, crl_next_update, crl_required, removed_at } = next;
    const values = [id, crl, crl_next_update, crl_required, removed_at, binder.authority(next), url];
    await tx.run(WRITE_FOREIGN, values);
    const detail = { authority: row.name, fetched: 'true', revoked: String(list.serials.size) };
    await audit.record(tx, [{ ...bySystem(newId()), event: 'trust.crl', action: 'U', outcome: 'success', detail }]);
    await tx.rows(NOTIFY);
    tx.afterCommit(parts.forget);
  });
}

/** Once per list that ran out, and anew for the next one. */
async function tellOfAge(parts: NodeParts, row: AuthorityTrustRow): Promise<ListWarning[]> {
  const nowMs = parts.clock.nowMs();
  const isOver = row.crl_next_update !== null && row.crl_next_update.getTime() <= nowMs;
  if (!isOver && row.crl_stale_told_at !== null) await parts.database.run(NOTE_CRL_STALE, [row.id, null]);
  if (!isOver || row.crl_stale_told_at !== null) return [];
  await parts.database.run(NOTE_CRL_STALE, [row.id, new Date(nowMs)]);
  await record(parts, row, 'crl-stale');
  return [{ authority: row.name, what: 'list-over' }];
}

async function record(parts: NodeParts, { name }: AuthorityTrustRow, reason: string): Promise<void> {
  const detail = { authority: name };
  const event = { event: 'trust.crl', action: 'U', outcome: 'minor-failure', reason, detail } as const;
  await parts.audit.recordNow([{ ...bySystem(newId()), ...event }]);
}

/** Throws Problem: the address is not allowed, does not answer, or gives something else. */
export async function fetchList({ outbound }: Pick<NodeParts, 'outbound'>, url: string): Promise<Uint8Array> {
  const answer = await outbound.request({
    method: 'GET',
    url,
    timeoutMs: TIMEOUT_MS,
    answerBytesMax: BYTES_MAX,
    signedContent: true,
  });
  if (answer.status === 200) return answer.body;
  throw nodeProblem(
    'unprocessable',
    'crl-not-fetched',
    `The address of the list of revoked certificates answered with status ${answer.status}. Nothing was changed.`,
  );
}

/** Reads a list of this authority. Throws Problem where it is not signed by it, or older than the present one. */
export async function newerList(row: AuthorityTrustRow, input: string | Uint8Array): Promise<ReadCrl> {
  const isPem = input instanceof Uint8Array && Buffer.from(input.subarray(0, 64)).includes('-----BEGIN');
  const list = await readCrl(isPem ? Buffer.from(input).toString('latin1') : input, row.certificate);
  if (row.crl !== null && (await readCrl(row.crl, row.certificate)).thisUpdateMs > list.thisUpdateMs)
    throw nodeProblem(
      'conflict',
      'crl-stale',
      'A newer list of this authority is in use already. Nothing was changed.',
    );
  return list;
}

export function withList<T extends AuthorityTrustRow>(row: T, list: ReadCrl): T {
  const next = list.nextUpdateMs === undefined ? null : new Date(list.nextUpdateMs);
  return { ...row, crl: Buffer.from(list.der), crl_next_update: next };
}
