import { z } from 'zod';
import { BIRTH_DATE_LEVELS } from './birth-date.ts';
import { CHECK_DIGITS } from './check-digits.ts';

/**
 * The matching model as a document: everything that decides a score, a link and a blocking key, so that a version of it can be
 * stored, compared, shown and named in every explanation. Parsing refuses unknown keys, missing levels and impossible numbers.
 */
export const NAME_LEVELS = [
  'exact',
  'part',
  'nickname',
  'close',
  'similar',
  'initial',
  'swapped',
  'swapped-close',
  'different',
] as const;
export const GENDER_LEVELS = ['same', 'different'] as const;
export const CONTACT_LEVELS = ['exact', 'close', 'different'] as const;
export const LINE_LEVELS = ['exact', 'close', 'street', 'different'] as const;
export const PLACE_LEVELS = ['exact', 'close', 'implied', 'different'] as const;

/** `m`: share of true pairs that reach the level; `u`: share of pairs of strangers that do. */
const Chances = z.strictObject({ m: z.number().gt(0).lte(1), u: z.number().gt(0).lte(1) });

function levels<const Names extends readonly [string, ...string[]]>(names: Names) {
  return z.record(z.enum(names), Chances).superRefine((chances, context) => {
    for (const side of ['m', 'u'] as const) {
      let sum = 0;
      for (const level of Object.values<z.infer<typeof Chances>>(chances)) sum += level[side];
      if (sum > 1.01) context.addIssue({ code: 'custom', message: `the ${side} of all levels add up to more than 1` });
    }
  });
}

const Frequency = z.strictObject({
  /** Share of people assumed to have a name that no table lists. */
  unlistedShare: z.number().gt(0).lt(1),
  /** No name counts as rarer than this, however rare it is. */
  leastShare: z.number().gt(0).lt(1),
});
const NameField = z.strictObject({ levels: levels(NAME_LEVELS), frequency: Frequency });

export const IDENTIFIER_KINDS = ['national', 'local', 'shared'] as const;
const CheckDigitRule = z.strictObject({
  digits: z.enum(CHECK_DIGITS),
  length: z.number().int().gte(2).lte(40).optional(),
});
export type CheckDigitRule = z.infer<typeof CheckDigitRule>;

const IdentifierKind = z.strictObject({
  kind: z.enum(IDENTIFIER_KINDS),
  /** Patterns of systems (`*` stands for anything); the first kind in the list with a fitting pattern is taken. */
  systems: z.array(z.string().min(1).max(200)).min(1).max(200),
  levels: levels(CONTACT_LEVELS),
  /** How the check digits of such numbers are reckoned, and how many places they have with leading zeros; a number with a wrong one says less. */
  check: CheckDigitRule.optional(),
});

/** What a blocking key is made of; each part gives no, one or several values, and a rule is their product. */
export const BLOCKING_PARTS = [
  'identifier',
  'phone',
  'email',
  'name-sound', // each name part, phonetic, given and family alike
  'name-pair-sound', // one given and one family part, phonetic, in alphabetical order
  'rare-full-name', // given and family name as written, in alphabetical order, where the frequency table does not call them common
  'initials', // first sounds of given and family name, in alphabetical order
  'birth-date', // day and month in numerical order where they could be mistaken
  'exact-birth-date', // the same, without dates that stand for an estimate
  'birth-year',
  'birth-month-day', // without dates that stand for an estimate
  'address-line',
  'city',
  'postal-code',
  'mothers-maiden-name-sound',
] as const;
export type BlockingPart = (typeof BLOCKING_PARTS)[number];

const BlockingRule = z.strictObject({
  /** Short: it is part of every key. */
  name: z.string().regex(/^[a-z][a-z0-9-]{0,11}$/),
  parts: z.array(z.enum(BLOCKING_PARTS)).min(1).max(4),
});

const Words = z.array(z.string().min(1).max(100)).max(500);
const Share = z.record(z.string().min(1).max(60), z.number().gt(0).lt(1));

export const MatchingModel = z
  .strictObject({
    format: z.literal('careseal-matching-model/1'),
    /** Named in every explanation, link and review. */
    version: z.string().regex(/^[A-Za-z0-9._-]{1,60}$/),
    description: z.string().max(2000).optional(),
    /** How many people the population has of whom two records are drawn; the prior is one in that many. */
    prior: z.strictObject({ population: z.number().gte(2).lte(1e15) }),
    /** Share of all pairs of records that are two people of one household; where known, by training. */
    household: z.strictObject({ share: z.number().gt(0).lt(1) }).optional(),
    thresholds: z.strictObject({
      /** At or above: linked automatically. */
      match: z.number().gt(0).lt(1),
      /** At or above, but below `match`: a review. */
      review: z.number().gt(0).lt(1),
      /** Score from which a review is graded probable rather than possible. */
      probable: z.number().gt(0).lt(1),
    }),
    fields: z.strictObject({
      given: NameField,
      family: NameField,
      birthDate: z.strictObject({ levels: levels(BIRTH_DATE_LEVELS) }),
      gender: z.strictObject({ levels: levels(GENDER_LEVELS) }),
      phone: z.strictObject({ levels: levels(CONTACT_LEVELS) }),
      email: z.strictObject({ levels: levels(CONTACT_LEVELS) }),
      addressLine: z.strictObject({ levels: levels(LINE_LEVELS) }),
      postalCode: z.strictObject({ levels: levels(CONTACT_LEVELS) }),
      city: z.strictObject({ levels: levels(PLACE_LEVELS) }),
      state: z.strictObject({ levels: levels(PLACE_LEVELS) }),
      mothersMaidenName: z.strictObject({ levels: levels(CONTACT_LEVELS) }),
    }),
    identifiers: z.array(IdentifierKind).min(1).max(20),
    /** Shares of common names, folded; an estimate from the registry's own data replaces them. */
    frequencies: z.strictObject({ given: Share, family: Share }),
    skip: z.strictObject({
      given: Words,
      family: Words,
      birthDates: z.array(z.iso.date()).max(200),
      emails: Words,
    }),
    rules: z.strictObject({
      /** An equal identifier of kind national or local links, unless a contradiction stands against it. */
      uniqueIdentifier: z.strictObject({ enabled: z.boolean(), score: z.number().gt(0).lt(1) }),
    }),
    guards: z.strictObject({
      /** Birth years apart from which two people of one name are taken for parent and child. */
      generationYears: z.number().int().gte(8).lte(60),
    }),
    blocking: z.strictObject({
      rules: z.array(BlockingRule).min(1).max(40),
      /** Keys of one record beyond this are left out, rules in order; a real record stays far below. */
      keysMax: z.number().int().gte(1).lte(200),
    }),
  })
  .superRefine((model, context) => {
    if (model.thresholds.review >= model.thresholds.match) {
      context.addIssue({ code: 'custom', path: ['thresholds'], message: 'review must be below match' });
    }
    const names = model.blocking.rules.map((rule) => rule.name);
    if (new Set(names).size !== names.length) {
      context.addIssue({ code: 'custom', path: ['blocking', 'rules'], message: 'two rules have one name' });
    }
  });
export type MatchingModel = z.infer<typeof MatchingModel>;

/** Parses a model document; throws zod's error, whose paths say what is wrong. */
export function parseModel(document: unknown): MatchingModel {
  return MatchingModel.parse(document);
}
