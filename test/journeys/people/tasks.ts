import { JOINING } from './joining.ts';
import { OWN_ACCOUNT } from './own-account.ts';
import { PERSONS } from './persons.ts';
import { POLICY } from './policy.ts';
import { PROVIDERS } from './providers.ts';
import { RIGHTS } from './rights.ts';
import type { Task } from './stage.ts';

/** What is worked first: joining, one’s own account, organisations and rights. In the order in which one needs the other. */
export const FIRST_TASKS: readonly Task[] = [...JOINING, ...OWN_ACCOUNT, ...RIGHTS];

/** What is worked with people who are there already. */
export const FURTHER_TASKS: readonly Task[] = [...POLICY, ...PROVIDERS, ...PERSONS];

export const PEOPLE_TASKS: readonly Task[] = [...FIRST_TASKS, ...FURTHER_TASKS];
