import { staff } from './people/staff.ts';
import { workTasks } from './people/run.ts';
import { FURTHER_TASKS } from './people/tasks.ts';

/** The second half of docs/people-tasks.md, with people who have joined already: people.test.ts is how they do. */
workTasks(FURTHER_TASKS, staff);
