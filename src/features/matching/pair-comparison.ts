import { FIELDS } from './compiled-model.ts';

/**
 * What the comparison of one pair found. One instance is used again for pair after pair, so that scoring allocates nothing;
 * `compareRecords` writes every field before anybody reads it.
 */
export interface PairComparison {
  /** By field: the level's index, or -1 when one side lacks the value. */
  readonly levels: Int8Array;
  /** By field: log2 likelihood ratio. */
  readonly weights: Float64Array;
  /** Sum over the systems both have. */
  identifierWeight: number;
  /** How many identifiers that are unique by nature (national or local) are equal, each system counted once. */
  identifiersEqual: number;
  /** The same, and national numbers of which one is a slip of the other: a digit left out, two exchanged, a letter typed into it. */
  numbersAgree: number;
  /** A national identifier of one system is clearly different. */
  nationalDifferent: boolean;
  /** It is different, or has another digit in one place: not a slip of the hand (a digit left out, doubled, exchanged) but another number. */
  nationalOther: boolean;
  /** An institution gave both records a number, and not the same, nor is one a slip of the other. */
  localOther: boolean;
  /** How many of these other numbers have one other digit and no more. */
  numbersOneDigitOff: number;
}

export function newComparison(): PairComparison {
  return {
    levels: new Int8Array(FIELDS.length),
    weights: new Float64Array(FIELDS.length),
    identifierWeight: 0,
    identifiersEqual: 0,
    numbersAgree: 0,
    nationalDifferent: false,
    nationalOther: false,
    localOther: false,
    numbersOneDigitOff: 0,
  };
}
