/** Moving here from OpenCR: its matching rules, its patients, its ids. See README.md. */
export { importOpenCr, type OpenCrImport, type OpenCrImportDeps, type OpenCrSummary } from './import.ts';
export { type ConvertedRules, convertRules } from './rules.ts';
export { DecisionRules } from './rules-document.ts';
