import type { ProblemIssue } from '../kernel/problem.ts';
import { Problem } from '../kernel/problem.ts';

/** Codes of the refusals this folder throws. */
export type FhirProblemCode =
  | 'fhir-invalid' // the resource breaks R4
  | 'fhir-wrong-type' // another resource type than asked for
  | 'fhir-xml' // no well-formed FHIR XML
  | 'fhir-too-large'
  | 'fhir-search' // a search that is not understood or not supported
  | 'fhir-search-too-costly'
  | 'fhir-bundle'
  | 'fhir-operation' // parameters of an operation
  | 'fhir-not-acceptable'
  | 'fhir-media-type'
  | 'fhir-precondition'; // a conditional header that does not parse

/** FHIR IssueType codes used here (http://hl7.org/fhir/issue-type). */
export type IssueCode =
  | 'structure'
  | 'required'
  | 'value'
  | 'invariant'
  | 'code-invalid'
  | 'extension'
  | 'not-supported'
  | 'too-long'
  | 'too-costly'
  | 'invalid';

/** Most issues listed for one input; one more line says that there are others. */
export const ISSUES_MAX = 100;

/** Gathers what is wrong with one input. Details never quote a value: they may end in logs and on screens. */
export class IssueList {
  readonly issues: ProblemIssue[] = [];
  /** True once the list is full: checking further is of no use. */
  full = false;

  add(fhirCode: IssueCode, detail: string, expression: string): void {
    if (this.full) return;
    this.issues.push({ severity: 'error', fhirCode, detail, expression: [expression] });
    if (this.issues.length < ISSUES_MAX) return;
    this.full = true;
    this.issues.push({
      severity: 'information',
      fhirCode: 'too-costly',
      detail: 'There are more; checking stopped here.',
    });
  }
}

/** 400 with every issue found; the first is the refusal's own, so that an OperationOutcome starts with it. */
export function invalidFhir(issues: readonly ProblemIssue[]): Problem<FhirProblemCode> {
  const [first, ...others] = issues;
  return new Problem('invalid', 'fhir-invalid', first?.detail ?? 'The resource is not valid FHIR R4.', {
    fhirCode: first?.fhirCode ?? 'invalid',
    ...(first?.expression ? { expression: first.expression } : {}),
    issues: others,
  });
}

/** The same issues, told from the bundle's point of view: `Patient.name[0]` becomes `Bundle.entry[3].resource.name[0]`. */
export function within(place: string, issues: readonly ProblemIssue[]): readonly ProblemIssue[] {
  return issues.map((issue) =>
    issue.expression ? { ...issue, expression: issue.expression.map((path) => path.replace(/^\w+/, place)) } : issue,
  );
}
