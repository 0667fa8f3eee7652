/**
 * Two pairs of eyes: a link that joins two people is only made when a second person agrees. Which links need that is a setting.
 */
import type { UserId } from '../../kernel/ids.ts';
import type { Principal } from '../../kernel/principal.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import { secondPersonNeeded } from './problems.ts';
import type { QueuedReview } from './review-queue.ts';

/** `merges`: links between two clients of whom each has several records already; a lone new record needs one person. */
export const SECOND_PERSON = ['never', 'merges', 'always'] as const;
export type SecondPerson = (typeof SECOND_PERSON)[number];

const SETTING = 'second-person';
const readSetting = statement<{ value: string }>(
  'registry.setting',
  'SELECT value FROM registry.setting WHERE name = $1',
);
const putSetting = statement(
  'registry.put-setting',
  `INSERT INTO registry.setting (name, value, changed_at) VALUES ($1, $2, $3)
   ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at`,
);

export async function readSecondPerson(sql: Sql): Promise<SecondPerson> {
  const value = (await sql.rows(readSetting, [SETTING]))[0]?.value;
  return SECOND_PERSON.find((one) => one === value) ?? 'never';
}

export async function writeSecondPerson(tx: Transaction, value: SecondPerson, at: Date): Promise<void> {
  await tx.run(putSetting, [SETTING, value, at]);
}

const propose = statement(
  'registry.propose-link',
  'UPDATE registry.review SET proposed_by = $2, proposed_at = $3, assignee = NULL WHERE review_id = $1',
);
/** Whether the setting asks for two people here. Never the operator: whom the installation trusts already, and who is alone there. */
export async function needsSecondPerson(
  sql: Sql,
  principal: Principal,
  [sizeA, sizeB]: readonly [number, number],
): Promise<boolean> {
  if (userOf(principal) === undefined) return false;
  const rule = await readSecondPerson(sql);
  return rule === 'always' || (rule === 'merges' && sizeA > 1 && sizeB > 1);
}

/**
 * Whether a link may be made now. Without need of a second person, or when another one proposed it: true. The first person's
 * wish is kept as a proposal: false. Throws Problem `second-person-needed` when the same person asks again.
 */
export async function agreedByTwo(
  tx: Transaction,
  what: {
    readonly review: QueuedReview;
    readonly principal: Principal;
    readonly sizes: readonly [number, number];
    readonly nowMs: number;
  },
): Promise<boolean> {
  const user = userOf(what.principal);
  if (user === undefined || !(await needsSecondPerson(tx, what.principal, what.sizes))) return true;
  if (what.review.proposed_by === null) {
    await tx.run(propose, [what.review.review_id, user, new Date(what.nowMs)]);
    return false;
  }
  if (what.review.proposed_by === user) throw secondPersonNeeded();
  return true;
}

export function userOf(principal: Principal): UserId | undefined {
  return principal.kind === 'user' ? principal.userId : undefined;
}
