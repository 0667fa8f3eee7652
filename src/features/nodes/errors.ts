import { Problem, type ProblemKind } from '../../kernel/problem.ts';

export type NodeProblemCode =
  | 'certificate-missing'
  | 'certificate-unknown'
  | 'certificate-not-valid'
  | 'certificate-revoked'
  | 'node-unknown'
  | 'node-revoked'
  | 'node-name-taken'
  | 'domain-owned'
  | 'domain-too-long';

export function nodeProblem(kind: ProblemKind, code: NodeProblemCode, publicDetail: string): Problem<NodeProblemCode> {
  return new Problem(kind, code, publicDetail);
}
