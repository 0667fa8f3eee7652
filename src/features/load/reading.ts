/**
 * How files and their values are read, without the service that loads them: for linkage and its threads, which must not pull in the
 * registry.
 */
export { compileDates, dateFormats, type DateReader } from './dates.ts';
export { type FileReading, findReading, HEAD_BYTES } from './file-format.ts';
export { genderWords } from './gender-words.ts';
export { readBoolean } from './row-values.ts';
export { textDecoder } from './text-encoding.ts';
export { splitWholeName } from './whole-name.ts';
