/**
 * The demographic record that matching sees: already extracted from a FHIR Patient, not yet normalised for comparison.
 * Every field may be missing; missing is neutral, never a disagreement.
 */
export interface MatchRecord {
  readonly given: readonly string[];
  readonly family: readonly string[];
  /** Name suffixes: Jr, III. They tell parents and children of one name apart. */
  readonly suffix?: readonly string[];
  /** FHIR date: YYYY, YYYY-MM or YYYY-MM-DD. */
  readonly birthDate?: string;
  /** What was written in place of a birth date and is none: "1976-q08-20", "missing, age 23". Only where `birthDate` is missing. */
  readonly birthDateText?: string;
  readonly gender?: 'male' | 'female' | 'other' | 'unknown';
  readonly phones: readonly string[];
  readonly emails: readonly string[];
  readonly identifiers: readonly MatchIdentifier[];
  readonly address?: MatchAddress;
  readonly mothersMaidenName?: string;
  /** Twin or higher order, where known: FHIR multipleBirth. */
  readonly multipleBirth?: boolean | number;
}

export interface MatchIdentifier {
  readonly system: string;
  readonly value: string;
}

export interface MatchAddress {
  readonly line: readonly string[];
  readonly city?: string;
  readonly state?: string;
  readonly postalCode?: string;
  readonly country?: string;
}

/** IHE match grades (http://terminology.hl7.org/CodeSystem/match-grade). */
export type MatchGrade = 'certain' | 'probable' | 'possible' | 'certainly-not';

export type Decision = 'match' | 'review' | 'none';

/** Why a pair got its score, field by field; what the waterfall picture draws. Holds no values, so it may be stored sealed or shown. */
export interface Explanation {
  readonly modelVersion: string;
  /** Calibrated probability 0–1 that the two records are one person. */
  readonly score: number;
  /** Sum of the weights, log2 of the likelihood ratio, prior included. */
  readonly weight: number;
  readonly priorWeight: number;
  readonly grade: MatchGrade;
  readonly decision: Decision;
  readonly fields: readonly FieldExplanation[];
  /** The deterministic rule that decided, if one did. */
  readonly rule?: string;
  /** Guards that stopped an automatic link: `different-birth-date`, `twins`, `skip-value` … */
  readonly contradictions: readonly string[];
}

export interface FieldExplanation {
  /** `given`, `family`, `birthDate`, `gender`, `phone`, `identifier:<system>`, `address.city` … */
  readonly field: string;
  /** The level reached: `exact`, `close`, `nickname`, `swapped`, `transposed`, `different`, `missing` … */
  readonly level: string;
  /** log2 likelihood ratio, term-frequency adjustment included; 0 when missing. */
  readonly weight: number;
  /** How similar 0–1, where the level comes from a similarity. */
  readonly similarity?: number;
}
