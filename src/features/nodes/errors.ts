import { Problem, type ProblemKind, type ProblemOptions } from '../../kernel/problem.ts';

export type NodeProblemCode =
  | 'certificate-missing'
  | 'certificate-unknown'
  | 'certificate-not-valid'
  | 'certificate-revoked'
  | 'certificate-taken'
  | 'certificates-too-many'
  | 'authority-unknown'
  | 'authority-offline'
  | 'authority-taken'
  | 'root-key-wrong'
  | 'crl-stale'
  | 'crl-not-fetched'
  | 'enrolment-refused'
  | 'name-rule-taken'
  | 'network-malformed'
  | 'network-not-allowed'
  | 'node-ambiguous'
  | 'node-not-active'
  | 'node-suspended'
  | 'node-too-fast'
  | 'node-unknown'
  | 'node-revoked'
  | 'node-name-taken'
  | 'node-only'
  | 'registration-changed'
  | 'domain-altered'
  | 'rights-exceed'
  | 'domain-owned'
  | 'domain-too-long'
  | 'keys-unusable'
  | 'token-invalid'
  | 'token-missing';

export function nodeProblem(
  kind: ProblemKind,
  code: NodeProblemCode,
  publicDetail: string,
  options: ProblemOptions = {},
): Problem<NodeProblemCode> {
  return new Problem(kind, code, publicDetail, options);
}

export function nodeUnknown(): Problem<NodeProblemCode> {
  return nodeProblem('not-found', 'node-unknown', 'There is no such node.');
}
