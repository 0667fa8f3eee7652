import { workTasks } from './people/run.ts';
import { FIRST_TASKS } from './people/tasks.ts';

/**
 * What people do about accounts, rights and sign-in, each task twice on the whole product: with the mouse only (text is pasted) and with
 * the keyboard only (the focus seen wherever it goes). docs/people-tasks.md lists them.
 */
workTasks(FIRST_TASKS);
