/**
 * How an event's canonical JSON is kept: whole, but with the phrases that every event repeats replaced by one byte each, which
 * makes it a quarter as long. Canonical JSON holds no byte below 0x20 (RFC 8785 escapes them), so these bytes are free to stand
 * for phrases, and `unpack` needs no knowledge of events. formats/audit-tree.md §6 lists the phrases.
 *
 * The list is frozen: events of years ago are read with it. Another list gets another payload version.
 */
const DCM = 'http://dicom.nema.org/resources/ontology/DCM';
const TERMS = 'http://terminology.hl7.org/CodeSystem/';
const PROFILE = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.';
const CARESEAL = 'https://careseal.org/fhir/';

const role = (code: string, display: string): string =>
  `"role":{"code":"${code}","display":"${display}","system":"${TERMS}object-role"}`;
const entityType = (code: string, display: string): string =>
  `"type":{"code":"${code}","display":"${display}","system":"${TERMS}audit-entity-type"}`;
const agentType = (code: string, display: string, system: string): string =>
  `"type":{"coding":[{"code":"${code}","display":"${display}","system":"${system}"}]},"who":{`;

/** Phrase n stands behind byte n + 1. */
export const PHRASES: readonly string[] = [
  `","type":"2"},"requestor":true,${agentType('110153', 'Source Role ID', DCM)}`,
  `","type":"2"},"requestor":true,${agentType('110152', 'Destination Role ID', DCM)}`,
  `","type":"2"},"requestor":false,${agentType('110153', 'Source Role ID', DCM)}`,
  `","type":"2"},"requestor":false,${agentType('110152', 'Destination Role ID', DCM)}`,
  `","type":"5"},"requestor":false,${agentType('110153', 'Source Role ID', DCM)}`,
  `","type":"5"},"requestor":false,${agentType('110152', 'Destination Role ID', DCM)}`,
  agentType('AUT', 'author (originator)', `${TERMS}v3-ParticipationType`),
  agentType('IRCP', 'information recipient', `${TERMS}v3-ParticipationType`),
  `{${role('1', 'Patient')},${entityType('1', 'Person')},"what":{"reference":"Patient/`,
  `{${role('4', 'Domain Resource')},${entityType('2', 'System Object')},"what":{"reference":"Patient/`,
  `${role('24', 'Query')},${entityType('2', 'System Object')}}`,
  `"type":{"code":"XrequestId","system":"https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"},"what":{"identifier":{"value":"`,
  `{"detail":[{"type":"door","valueString":"`,
  `"resourceType":"AuditEvent","source":{"observer":{"display":"Careseal","identifier":{"value":"`,
  `"type":[{"code":"4","display":"Application Server","system":"${TERMS}security-source-type"}]},"subtype":[{"code":"`,
  `"type":{"code":"rest","display":"Restful Operation","system":"${TERMS}audit-event-type"}}`,
  `","system":"http://hl7.org/fhir/restful-interaction"},{"code":"`,
  `"identifier":{"system":"${CARESEAL}`,
  `","system":"${CARESEAL}audit-event"}],`,
  `"system":"${DCM}"}`,
  `"meta":{"profile":["${PROFILE}`,
  `{"action":"R","agent":[{`,
  `{"action":"E","agent":[{`,
  `"network":{"address":"`,
  `"outcome":"0",`,
  `","system":"${TERMS}`,
  `"reference":"Patient/`,
  `"valueString":"`,
  `"display":"`,
  `{"code":"`,
  `"system":"`,
];

const BYTES = PHRASES.map((_, index) => String.fromCharCode(index + 1));
const BY_LENGTH = PHRASES.map((phrase, index) => ({ phrase, byte: BYTES[index] ?? '' })).sort(
  (a, b) => b.phrase.length - a.phrase.length,
);

/** Packs a fixed piece of JSON. For constants, once: values that vary are written as they are. */
export function pack(fragment: string): string {
  let packed = fragment;
  for (const { phrase, byte } of BY_LENGTH) packed = packed.replaceAll(phrase, byte);
  return packed;
}

/** The canonical JSON again. Any text unpacks; what was not packed here yields nonsense that fails its commitment. */
export function unpack(packed: string): string {
  let out = '';
  let from = 0;
  for (let at = 0; at < packed.length; at++) {
    const code = packed.charCodeAt(at);
    if (code >= 0x20) continue;
    out += packed.slice(from, at) + (PHRASES[code - 1] ?? '');
    from = at + 1;
  }
  return out + packed.slice(from);
}
