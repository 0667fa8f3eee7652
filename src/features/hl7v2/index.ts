/** HL7 v2 over MLLP for systems that have nothing newer: ADT feeds, PIX and demographics queries. See README.md. */
export type { Hl7Deps } from './deps.ts';
export { createHl7Service, type Hl7Service } from './service.ts';
