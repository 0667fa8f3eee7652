import { Problem, type ProblemKind } from '../../kernel/problem.ts';

export type LoadProblemCode =
  | 'upload-not-found'
  | 'upload-in-use'
  | 'file-empty'
  | 'file-too-large'
  | 'uploads-full'
  | 'file-unreadable'
  | 'file-not-text'
  | 'map-incomplete'
  | 'map-columns-missing'
  | 'map-invalid'
  | 'load-not-found'
  | 'load-over'
  | 'load-cancelled'
  | 'load-taken-over'
  | 'load-interrupted'
  | 'access-ended'
  | 'nothing-rejected'
  | 'mapping-not-found';

/** Refusals of this feature. Texts name columns and lines, never a value of a row. */
export function loadProblem(kind: ProblemKind, code: LoadProblemCode, detail: string): Problem<LoadProblemCode> {
  return new Problem(kind, code, detail);
}

export const loadNotFound = () => loadProblem('not-found', 'load-not-found', 'This load does not exist.');
