/**
 * Two pairs of eyes: a link that joins two people is only made when a second person agrees. Which links need that is a setting.
 */
import type { ReviewId, UserId } from '../../kernel/ids.ts';
import type { Principal } from '../../kernel/principal.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import type { RegistryDeps } from './deps.ts';
import { secondPersonNeeded } from './problems.ts';
import type { QueuedReview } from './review-queue.ts';
import { bindWord, wordFits } from './rule-binding.ts';

/** `merges`: links between two clients of whom each has several records already; a lone new record needs one person. */
export const SECOND_PERSON = ['never', 'merges', 'always'] as const;
export type SecondPerson = (typeof SECOND_PERSON)[number];

const SETTING = 'second-person';
const readSetting = statement<{ value: string; binding: Uint8Array | null }>(
  'registry.setting',
  'SELECT value, binding FROM registry.setting WHERE name = $1',
);
const putSetting = statement(
  'registry.put-setting',
  `INSERT INTO registry.setting (name, value, changed_at, binding) VALUES ($1, $2, $3, $4)
   ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at, binding = excluded.binding`,
);

export type RuleDeps = Pick<RegistryDeps, 'database' | 'keyRing' | 'rulesBound'>;

/** A rule that somebody else has changed or taken away is the strictest. Never set: one person is enough. */
export async function readSecondPerson({ keyRing, rulesBound }: RuleDeps, sql: Sql): Promise<SecondPerson> {
  const [row] = await sql.rows(readSetting, [SETTING]);
  const known = SECOND_PERSON.find((one) => one === row?.value);
  const untouched = row === undefined || row.binding === null;
  if (untouched) return (await rulesBound?.isSet()) === true ? 'always' : (known ?? 'never');
  return wordFits(keyRing, { kind: 'setting', id: SETTING, word: row.value }, row.binding)
    ? (known ?? 'always')
    : 'always';
}

export async function writeSecondPerson(deps: RuleDeps, tx: Transaction, value: SecondPerson, at: Date): Promise<void> {
  await tx.run(putSetting, [SETTING, value, at, bindWord(deps.keyRing, 'setting', SETTING, value)]);
  // Before the commit: should that fail, the rule is taken to be the strictest, and is set again.
  await deps.rulesBound?.set();
}

/** Binds a rule that a version before bindings has written; once, told by the mark in the home. */
export async function bindRule(deps: RuleDeps, nowMs: number): Promise<void> {
  if (deps.rulesBound === undefined || (await deps.rulesBound.isSet())) return;
  await deps.database.transaction(async (tx) => {
    const [row] = await tx.rows(readSetting, [SETTING]);
    if (row === undefined) return;
    await writeSecondPerson(deps, tx, await readSecondPerson(deps, tx), new Date(nowMs));
  });
}

const propose = statement(
  'registry.propose-link',
  `UPDATE registry.review SET proposed_by = $2, proposed_at = $3, proposed_binding = $4, assignee = NULL
   WHERE review_id = $1`,
);
const proposal = statement<{ proposed_by: UserId | null; proposed_binding: Uint8Array | null }>(
  'registry.proposal',
  'SELECT proposed_by, proposed_binding FROM registry.review WHERE review_id = $1',
);
/** Whether the setting asks for two people here. Never the operator: whom the installation trusts already, and who is alone there. */
export async function needsSecondPerson(
  deps: RuleDeps,
  sql: Sql,
  principal: Principal,
  [sizeA, sizeB]: readonly [number, number],
): Promise<boolean> {
  if (userOf(principal) === undefined) return false;
  const rule = await readSecondPerson(deps, sql);
  return rule === 'always' || (rule === 'merges' && sizeA > 1 && sizeB > 1);
}

/**
 * Whether a link may be made now. Without need of a second person, or when another one proposed it: true. The first person's
 * wish is kept as a proposal: false. Throws Problem `second-person-needed` when the same person asks again.
 */
export async function agreedByTwo(
  deps: RuleDeps,
  tx: Transaction,
  what: {
    readonly review: QueuedReview;
    readonly principal: Principal;
    readonly sizes: readonly [number, number];
    readonly nowMs: number;
  },
): Promise<boolean> {
  const user = userOf(what.principal);
  if (user === undefined || !(await needsSecondPerson(deps, tx, what.principal, what.sizes))) return true;
  const id = what.review.review_id;
  const proposer = await proposerOf(deps, tx, id);
  if (proposer === undefined) {
    await tx.run(propose, [id, user, new Date(what.nowMs), bindWord(deps.keyRing, 'review', id, user)]);
    return false;
  }
  if (proposer === user) throw secondPersonNeeded();
  return true;
}

/** Who really proposed it: a name that somebody has put there in the database counts for nothing. */
async function proposerOf({ keyRing }: RuleDeps, tx: Transaction, id: ReviewId): Promise<UserId | undefined> {
  const [row] = await tx.rows(proposal, [id]);
  const by = row?.proposed_by ?? undefined;
  if (row === undefined || by === undefined) return undefined;
  return wordFits(keyRing, { kind: 'review', id, word: by }, row.proposed_binding) ? by : undefined;
}

export function userOf(principal: Principal): UserId | undefined {
  return principal.kind === 'user' ? principal.userId : undefined;
}
