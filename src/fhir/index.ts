/**
 * FHIR R4 without HTTP and without a database: parsing and printing JSON and XML, validation, search, bundles, operations.
 * Refusals are Problems (codes: `FhirProblemCode` in issue.ts); none carries a value of a resource. Pure: the clock comes in.
 */

/** Batch and transaction Bundles as acts, each entry validated on its own; references between entries can be replaced. */
export {
  type BundleRequest,
  type EntryAct,
  openReferences,
  parseBundleRequest,
  referencesIn,
  replaceReferences,
  transactionOrder,
} from './bundle-request.ts';
/** Answers as bytes in the negotiated format; stored JSON is passed on unopened where that is the format. */
export { type AnswerEntry, type BundleAnswer, printBundle, printResource, printStored } from './bundle-print.ts';
/** `/metadata`, made of what the caller says it does and of the search parameters. */
export { type Capabilities, capabilityStatement, type SystemInteraction, type TypeInteraction } from './capability.ts';
/** What stretch of time a date or time means, Unix milliseconds; undefined where there is no such date. */
export { timeRange } from './dates.ts';
/** Query strings and forms, strictly decoded, order and repeats kept. */
export { type FormPairs, parseForm, printForm } from './form.ts';
/** Parses what this server has stored; decimals keep their text, as `JSON.rawJSON` where a number could not. */
export { parseStoredJson } from './json.ts';
/** `$match` of IHE PDQm ITI-119: Parameters or a bare Patient. */
export { MATCH_GRADE, type MatchRequest, parseMatchRequest } from './match-operation.ts';
/** Formats by Accept, `_format` and Content-Type; 406 and 415 otherwise. */
export { bodyFormat, MEDIA_TYPES, type Negotiated, negotiate } from './negotiate.ts';
/** ETag, If-Match, If-None-Match, If-Modified-Since, If-None-Exist, Prefer. */
export {
  etag,
  httpDate,
  isNotModified,
  parseIfMatch,
  parseIfNoneExist,
  parsePrefer,
  type Preferences,
} from './preconditions.ts';
/** Every resource type of R4, known to the table or not. */
export { isR4Resource as isR4ResourceType } from './r4.ts';
/** From bytes or a plain value to a valid Patient; throws Problem `fhir-invalid` (400) with every fault and its FHIRPath. */
export { assertPatient, parseBody, parsePatient, type ValidPatient, validResource } from './resource.ts';
export { COUNT_DEFAULT, COUNT_MAX } from './search-controls.ts';
/** `system|value`, `value`, `|value`, `system|`; undefined when it is none of them. */
export { parseToken } from './search-filters.ts';
/** Comparison without case, accents and punctuation, and of telephone digits. */
export { fold, samePhone, startsWith } from './search-fold.ts';
export { MOTHERS_MAIDEN_NAME, NAME_PREFIXES } from './search-parameters.ts';
/** A Patient search understood: terms for the index, an exact test, how to answer. Throws Problem `fhir-search` (400). */
export { type ParsedSearch, parseSearch, selfQuery, RECORD_KIND_SYSTEM } from './search-query.ts';
/** What a Patient is found by: 30 to 60 terms, to be blinded by the caller; and the single terms a query is made of. */
export { phoneTerm, plainTerm, prefixTerm, searchTerms } from './search-terms.ts';
/** The part of a Patient that `_summary`, `_elements` or `identifier=system|` asks for. */
export { subset, withIdentifiersOf } from './subset.ts';
/** Every fault of a value against R4, with its FHIRPath; empty when it is valid. A Patient takes some 8 µs. */
export { validateResource } from './validate.ts';
/** FHIR XML to the JSON form; no DTD, no entities. Throws Problem `fhir-xml` (400). The result is not yet validated. */
export { parseFhirXml } from './xml-parse.ts';
/** A valid resource as XML, in the order of the specification. */
export { printFhirXml } from './xml-print.ts';
/** Characters as XML wants them in attributes and text. */
export { escapeAttribute, escapeText } from './xml-escape.ts';
/** Any small XML document as a tree, without DTD and within limits; undefined where it is not one. */
export { readXml, type XmlElement } from './xml-read.ts';
