import { Problem } from '../../kernel/problem.ts';

export type EncodingProblemCode =
  | 'project-invalid'
  | 'encoded-file-invalid'
  | 'projects-differ'
  | 'pairs-invalid'
  | 'ids-invalid'
  | 'nothing-encoded';

/** Refusals of this feature: they name files, lines and columns, never a value. */
export function encodingProblem(
  code: EncodingProblemCode,
  detail: string,
  cause?: unknown,
): Problem<EncodingProblemCode> {
  return new Problem('invalid', code, detail, cause === undefined ? {} : { cause });
}
