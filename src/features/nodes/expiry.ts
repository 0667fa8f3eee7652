import { newId } from '../../crypto/index.ts';
import { toHex } from '../../kernel/bytes.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import { bySystem } from './actor.ts';
import type { NodeAudit } from './deps.ts';
import type { EndingCertificate } from './model.ts';
import { LIST_ENDING, WRITE_WARNED } from './store.ts';
import { CLEAR_ASSERTIONS } from './trust-store.ts';

/** Days before the end of a node's last certificate at which people are told: pages, log, audit log, metric. */
export const WARNING_DAYS = [30, 14, 7] as const;
const DAY_MS = 86_400_000;

export interface ExpiryDeps {
  readonly database: Database;
  readonly audit: NodeAudit;
  readonly clock: Clock;
  readonly onEnding: (ending: EndingCertificate) => void;
}

/** Tells about certificates that crossed a warning since the last round. A node with a later certificate needs none. */
export async function warnOfEnding({ database, audit, clock, onEnding }: ExpiryDeps): Promise<number> {
  const nowMs = clock.nowMs();
  const until = new Date(nowMs + WARNING_DAYS[0] * DAY_MS);
  let told = 0;
  for (const row of await database.rows(LIST_ENDING, [new Date(nowMs), until])) {
    const days = Math.max(0, Math.ceil((row.ends.getTime() - nowMs) / DAY_MS));
    const crossed = WARNING_DAYS.findLast((warning) => days <= warning);
    if (crossed === undefined || (row.warned_days !== null && row.warned_days <= crossed)) continue;
    const sha256 = toHex(row.sha256);
    const entities = [{ reference: `Node/${row.node_id}`, role: 'security-resource' as const }];
    const detail = { node: row.node_name, certificateSha256: sha256, days: String(days) };
    await database.transaction(async (tx) => {
      await tx.run(WRITE_WARNED, [row.sha256, crossed]);
      const event = {
        ...bySystem(newId()),
        event: 'certificate.ending',
        action: 'R',
        outcome: 'success',
        entities,
        detail,
      } as const;
      await audit.record(tx, [event]);
    });
    onEnding({ nodeId: row.node_id, nodeName: row.node_name, sha256, endsAtMs: row.ends.getTime(), days });
    told += 1;
  }
  await database.run(CLEAR_ASSERTIONS, [new Date(nowMs)]);
  return told;
}
