import { readXml, type XmlElement } from '../../fhir/index.ts';
import { FhirAuditEvent, type FhirCoding } from './fhir-audit-event.ts';

/**
 * A DICOM audit message (PS3.15 A.5), or the older form of RFC 3881, as a FHIR AuditEvent. `undefined` where it is neither:
 * then the repository keeps the bytes and says so. The XML reader takes no DTD, no entity and no endless nesting.
 */
export function parseDicom(body: Uint8Array): FhirAuditEvent | undefined {
  const root = readXml(body, { depthMax: DEPTH_MAX, elementsMax: elementsMax(body.byteLength) });
  if (root === undefined || local(root) !== 'AuditMessage') return undefined;
  const identification = first(root, 'EventIdentification');
  const participants = all(root, 'ActiveParticipant');
  const objects = all(root, 'ParticipantObjectIdentification');
  // Each becomes an agent or entity, which costs most: at most half of the elements.
  if (participants.length + objects.length > elementsMax(body.byteLength) / 2) return undefined;
  const recorded = instantOf(identification?.attributes['EventDateTime']);
  if (identification === undefined || participants.length === 0 || recorded === undefined) return undefined;
  const outcomeDesc = first(identification, 'EventOutcomeDescription')?.text;
  const purposes = all(identification, 'PurposeOfUse').map((one) => ({ coding: [codeOf(one)] }));
  const event = {
    resourceType: 'AuditEvent',
    type: codeOf(first(identification, 'EventID')),
    subtype: all(identification, 'EventTypeCode').map(codeOf),
    action: identification.attributes['EventActionCode'],
    recorded,
    outcome: identification.attributes['EventOutcomeIndicator'],
    ...(outcomeDesc === undefined || outcomeDesc === '' ? {} : { outcomeDesc }),
    ...(purposes.length === 0 ? {} : { purposeOfEvent: purposes }),
    agent: participants.map(agentOf),
    source: sourceOf(first(root, 'AuditSourceIdentification')),
    entity: objects.map(entityOf),
  };
  const parsed = FhirAuditEvent.safeParse(withoutGaps(event));
  return parsed.success ? parsed.data : undefined;
}

const DEPTH_MAX = 12;
/** What is short may be all small elements. */
const FREE_ELEMENTS = 500;
const BYTES_PER_ELEMENT = 64;

/**
 * How many elements a message of this many bytes may have: 1,023 in the largest datagram, which nobody had to sign in for. Elements of
 * audit messages carry codes and identifiers: a reference to one image is about 70 bytes, and nothing that repeats is shorter.
 */
export function elementsMax(bytes: number): number {
  return Math.max(FREE_ELEMENTS, Math.floor(bytes / BYTES_PER_ELEMENT));
}

const local = (element: XmlElement): string => element.name.slice(element.name.indexOf(':') + 1);
const all = (parent: XmlElement, name: string): XmlElement[] =>
  parent.children.filter((child) => local(child) === name);
const first = (parent: XmlElement, name: string): XmlElement | undefined => all(parent, name)[0];

/** Xs:dateTime may lack its zone; RFC 3881 means UTC then. */
function instantOf(text: string | undefined): string | undefined {
  if (text === undefined || text.length > 40) return undefined;
  const zoned = /(?:Z|[+-]\d{2}:\d{2})$/.test(text) ? text : `${text}Z`;
  const ms = Date.parse(zoned);
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}

const SYSTEMS: Readonly<Record<string, string>> = {
  DCM: 'http://dicom.nema.org/resources/ontology/DCM',
  'RFC-3881': 'urn:ietf:rfc:3881',
};

/** `csd-code` is DICOM's name for it, `code` that of RFC 3881 and of many senders. */
function codeOf(element: XmlElement | undefined): FhirCoding {
  const attributes = element?.attributes ?? {};
  const name = attributes['codeSystemName'];
  const system = name === undefined || name === '' ? undefined : (SYSTEMS[name] ?? uri(name));
  const display = attributes['originalText'] ?? attributes['displayName'];
  return {
    ...(system === undefined ? {} : { system }),
    code: attributes['csd-code'] ?? attributes['code'] ?? '',
    ...(display === undefined || display === '' ? {} : { display }),
  };
}

/** Names of code systems that are no URI become one under a name that nobody else uses. */
const uri = (name: string): string => (/^[a-z][a-z0-9+.-]*:/i.test(name) ? name : `urn:dicom:codeSystemName:${name}`);

function agentOf(element: XmlElement): unknown {
  const { attributes } = element;
  const roles = all(element, 'RoleIDCode').map((role) => ({ coding: [codeOf(role)] }));
  const address = attributes['NetworkAccessPointID'];
  return {
    ...(roles[0] === undefined ? {} : { type: roles[0] }),
    ...(roles.length < 2 ? {} : { role: roles.slice(1) }),
    who: { identifier: { value: attributes['UserID'] ?? '' } },
    altId: attributes['AlternativeUserID'],
    name: attributes['UserName'],
    requestor: attributes['UserIsRequestor'] !== 'false',
    ...(address === undefined ? {} : { network: { address, type: attributes['NetworkAccessPointTypeCode'] } }),
  };
}

function sourceOf(element: XmlElement | undefined): unknown {
  const attributes = element?.attributes ?? {};
  const types = element === undefined ? [] : all(element, 'AuditSourceTypeCode').map(codeOf);
  return {
    site: attributes['AuditEnterpriseSiteID'],
    observer: { identifier: { value: attributes['AuditSourceID'] ?? 'unknown' } },
    ...(types.length === 0 ? {} : { type: types }),
  };
}

const ENTITY_TYPES = 'http://terminology.hl7.org/CodeSystem/audit-entity-type';
const ROLES = 'http://terminology.hl7.org/CodeSystem/object-role';

function entityOf(element: XmlElement): unknown {
  const { attributes } = element;
  const query = first(element, 'ParticipantObjectQuery')?.text.trim();
  const details = all(element, 'ParticipantObjectDetail').map(({ attributes: { type, value } }) => ({
    type: type ?? 'detail',
    valueBase64Binary: value ?? '',
  }));
  const typeCode = attributes['ParticipantObjectTypeCode'];
  const role = attributes['ParticipantObjectTypeCodeRole'];
  return {
    what: { identifier: { value: attributes['ParticipantObjectID'] ?? '' } },
    ...(typeCode === undefined ? {} : { type: { system: ENTITY_TYPES, code: typeCode } }),
    ...(role === undefined ? {} : { role: { system: ROLES, code: role } }),
    name: first(element, 'ParticipantObjectName')?.text,
    description: first(element, 'ParticipantObjectDescription')?.text,
    ...(query === undefined || query === '' ? {} : { query }),
    ...(details.length === 0 ? {} : { detail: details }),
  };
}

/** Drops what is not there, since FHIR knows no empty element. */
function withoutGaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutGaps);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined && !(Array.isArray(inner) && inner.length === 0))
      .map(([name, inner]) => [name, withoutGaps(inner)]),
  );
}
