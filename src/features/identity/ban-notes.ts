import { newId } from '../../crypto/index.ts';
import type { Clock } from '../../kernel/time.ts';
import { statement, type Transaction } from '../../platform/db/sql.ts';
import type { Sealing } from './sealing.ts';

const INSERT = statement(
  'identity.ban-insert',
  `INSERT INTO identity.bans (id, subject, sealed_network, failures, since, until) VALUES ($1, $2, $3, $4, $5, $6)`,
);
const EXTEND = statement(
  'identity.ban-extend',
  `UPDATE identity.bans SET until = $2, failures = $3 WHERE subject = $1 AND lifted_at IS NULL AND until > $4`,
);
/** From this wait on a network is called banned: shown, told to the log, and liftable. */
const BAN_FROM_MS = 600_000;

export interface NetworkCharge {
  readonly subject: bigint;
  readonly network: string;
  readonly failures: number;
  readonly waitsUntilMs: number;
}

/** Writes a ban down, or makes the living one longer. True when it is new. */
export async function noteBan(
  tx: Transaction,
  { sealing, clock }: { readonly sealing: Sealing; readonly clock: Clock },
  charged: NetworkCharge,
): Promise<boolean> {
  const nowMs = clock.nowMs();
  if (charged.waitsUntilMs - nowMs < BAN_FROM_MS) return false;
  const until = new Date(charged.waitsUntilMs);
  if ((await tx.run(EXTEND, [charged.subject, until, charged.failures, new Date(nowMs)])) > 0) return false;
  const id = newId();
  const sealed = sealing.seal('sealed_network', id, charged.network);
  await tx.run(INSERT, [id, charged.subject, sealed, charged.failures, new Date(nowMs), until]);
  return true;
}
