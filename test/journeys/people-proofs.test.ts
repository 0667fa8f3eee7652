import { staff } from './people/staff.ts';
import { workTasks } from './people/run.ts';
import { PROOF_TASKS } from './people/tasks.ts';

/** Fresh proofs before dangerous acts, the warning to whoever walks away, forgotten passwords: the third part of docs/people-tasks.md. */
workTasks(PROOF_TASKS, staff);
