/**
 * Who is the same person: pure comparison, scoring, explanation and blocking. Nothing here reads a clock, randomness or a
 * database. Order of use: `compileModel` once per model version; `prepare` once per record; `blockingKeys` to find
 * candidates; `score` per pair; `explain` for pairs that somebody will look at.
 */
/** Keys `rule|…` in the clear, to be blinded by the caller. */
export { blockingKeys, ruleOfKey } from './blocking.ts';
/** The number of the way keys are made; see there. */
export { KEY_SCHEME } from './key-scheme.ts';
/** A model made ready; options replace its frequencies and its population. */
export { type CompiledModel, compileModel } from './compiled-model.ts';
export { DEFAULT_MODEL } from './default-model.ts';
/** The score with its reasons, field by field; holds no value of either record. */
export { explain } from './explain.ts';
/** How common names are, counted by whoever has them. */
export { countedFrequencies } from './frequencies.ts';
export type { Decision, Explanation, MatchAddress, MatchGrade, MatchRecord } from './model.ts';
/** Parses a model document; throws zod's error. */
export { type MatchingModel, parseModel } from './model-document.ts';
export { type PreparedRecord, prepare } from './prepared-record.ts';
/** A record as compact text, for the sealed copy that matching opens. */
export { decodeRecord, encodeRecord } from './record-codec.ts';
/** The hot path: weight, score 0..1, grade, decision, contradictions of one pair. Symmetric. */
export { probabilityOf, score } from './score.ts';
/** The parts on their own, for batch linkage, which compares distinct values once instead of records again and again. */
export { prepareAddress } from './address.ts';
export { type BirthDate, compareBirthDates, parseBirthDate } from './birth-date.ts';
export { compareContacts, emailLevel, phoneLevel } from './compare.ts';
export { CONTACT_DIFFERENT } from './contact-levels.ts';
/** Whether a number's check digit is right. */
export { type CheckTest, checkTest } from './check-digits.ts';
export type { CheckDigitRule } from './model-document.ts';
export { checkedLevel, identifierLevel } from './compare-identifiers.ts';
export { type AddressLine, lineLevel, lineLevelOf, placeLevel, streetLevel } from './compare-addresses.ts';
export { compareName, crossAgreement, SIMILAR_SIMILARITY, SOUND_SIMILARITY } from './compare-names.ts';
export { normaliseEmail } from './email.ts';
export { normaliseIdentifier } from './identifier.ts';
export { jaroWinklerOf } from './jaro-winkler.ts';
export { bitCount, letterPairs } from './letter-pairs.ts';
export { generationOf, nameParts, type PreparedName, prepareName } from './name.ts';
export { normalisePhone } from './phone.ts';
export { phonetic } from './phonetic.ts';
export { LEVELS, MISSING } from './level-numbers.ts';
export { FIELD_NAMES, levelNames } from './level-numbers.ts';
export { BIRTH_DATE_LEVELS } from './birth-date.ts';
export { levelChances } from './compiled-model.ts';
