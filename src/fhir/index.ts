/**
 * FHIR R4 without HTTP and without a database: parsing and printing JSON and XML, validation, search, bundles, operations.
 * Refusals are Problems (`FhirProblemCode`); none carries a value of a resource. Pure, but for `newId`-like values that come in.
 */
export {
  BUNDLE_ENTRIES_MAX,
  type BundleRequest,
  type EntryAct,
  type EntryRequest,
  openReferences,
  parseBundleRequest,
  replaceReferences,
  transactionOrder,
} from './bundle-request.ts';
export { type AnswerEntry, type BundleAnswer, printBundle, printResource, printStored } from './bundle-print.ts';
export { bodyFormat, MEDIA_TYPES, type Negotiated, negotiate } from './negotiate.ts';
export { type Capabilities, capabilityStatement, type SystemInteraction, type TypeInteraction } from './capability.ts';
export { timeRange } from './dates.ts';
export { type FormPairs, parseForm, printForm } from './form.ts';
export type { FhirProblemCode } from './issue.ts';
/** `parseFhirJson` is for what comes from outside, `parseStoredJson` for what this server has written. */
export { parseFhirJson, parseStoredJson, printFhirJson, printPrettyJson } from './json.ts';
export { MATCH_GRADE, type MatchRequest, parseMatchRequest } from './match-operation.ts';
export {
  etag,
  httpDate,
  isNotModified,
  parseIfMatch,
  parseIfNoneExist,
  parsePrefer,
  type Preferences,
} from './preconditions.ts';
export {
  assertPatient,
  assertResource,
  type FhirFormat,
  parseBody,
  parsePatient,
  parseResource,
  type ValidPatient,
} from './resource.ts';
export { COUNT_DEFAULT, COUNT_MAX, type SearchControls, type Summary } from './search-controls.ts';
export { parseToken } from './search-filters.ts';
export { fold, phoneDigits, samePhone, startsWith } from './search-fold.ts';
export { MOTHERS_MAIDEN_NAME, NAME_PREFIXES, SEARCH_PARAMETERS, type SearchParameter } from './search-parameters.ts';
export { type ParsedSearch, parseSearch, type SearchContext, selfQuery } from './search-query.ts';
/** What a Patient is found by: 30 to 60 terms, to be blinded by the caller. */
export { phoneTerm, plainTerm, prefixTerm, type SearchTerm, searchTerms } from './search-terms.ts';
export { SUBSETTED, subset, withIdentifiersOf } from './subset.ts';
/** Every fault of a value against R4, with its FHIRPath; empty when it is valid. A Patient takes some 8 µs. */
export { validateResource } from './validate.ts';
export { parseFhirXml } from './xml-parse.ts';
export { printFhirXml } from './xml-print.ts';
