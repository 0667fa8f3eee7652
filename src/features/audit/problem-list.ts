import type { AuditProblem } from './model.ts';

/** Collects findings, up to a bound: a log that is wholly wrong must not fill the memory with saying so. */
export interface ProblemList {
  readonly list: readonly AuditProblem[];
  add(problem: AuditProblem): void;
  /** There were more than somebody else's list could hold. */
  overflow(): void;
  more(): boolean;
}

export function createProblemList(max: number): ProblemList {
  const list: AuditProblem[] = [];
  let more = false;
  return {
    list,
    add(problem) {
      if (list.length < max) list.push(problem);
      else more = true;
    },
    overflow() {
      more = true;
    },
    more: () => more,
  };
}
