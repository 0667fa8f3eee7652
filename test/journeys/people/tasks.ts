import { JOINING } from './joining.ts';
import { OWN_ACCOUNT } from './own-account.ts';
import { PERSONS } from './persons.ts';
import { POLICY } from './policy.ts';
import { PROOFS } from './proofs.ts';
import { PROVIDERS } from './providers.ts';
import { LAST_RESETS, RESETS } from './resets.ts';
import { RIGHTS } from './rights.ts';
import type { Task } from './stage.ts';

/** What is worked first: joining, one’s own account, organisations and rights. In the order in which one needs the other. */
export const FIRST_TASKS: readonly Task[] = [...JOINING, ...OWN_ACCOUNT, ...RIGHTS];

/** What is worked with people who are there already. */
export const FURTHER_TASKS: readonly Task[] = [...POLICY, ...PROVIDERS, ...PERSONS, ...LAST_RESETS];

/** Fresh proofs, walking away, forgotten passwords: with people of their own, or the others would have to know the new ones. */
export const PROOF_TASKS: readonly Task[] = [...PROOFS, ...RESETS];

export const PEOPLE_TASKS: readonly Task[] = [...FIRST_TASKS, ...FURTHER_TASKS, ...PROOF_TASKS];
