import { escapeAttribute, escapeText } from '../../fhir/index.ts';
import { type FhirAuditEvent, type FhirCoding, referenceText } from './fhir-audit-event.ts';
import { transactionOf } from './ihe-transactions.ts';

/**
 * A FHIR AuditEvent as a DICOM audit message (PS3.15 A.5, 2024): what ITI-20 carries over syslog. Nothing is invented; what
 * DICOM has no place for (BALP profiles, the second identifier of an agent) stays behind. Elements stand in the schema's order.
 */
const DCM = 'http://dicom.nema.org/resources/ontology/DCM';
const SYSTEM_NAMES: Readonly<Record<string, string>> = {
  [DCM]: 'DCM',
  'http://terminology.hl7.org/CodeSystem/audit-event-type': 'FHIR',
  'http://hl7.org/fhir/restful-interaction': 'FHIR',
  'http://terminology.hl7.org/CodeSystem/v3-ParticipationType': 'ParticipationType',
};

export function printDicom(event: FhirAuditEvent): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?><AuditMessage>${identification(event)}` +
    `${event.agent.map((agent) => participant(agent)).join('')}${source(event)}` +
    `${(event.entity ?? []).map(object).join('')}</AuditMessage>`
  );
}

/** DICOM has no REST event: what reads and writes a record is a Patient Record event, what asks a question a Query. */
const REST_QUERIES: ReadonlySet<string> = new Set([
  'search',
  'search-type',
  'search-system',
  'history-type',
  'operation',
]);
const PATIENT_RECORD: FhirCoding = { system: DCM, code: '110110', display: 'Patient Record' };
const QUERY: FhirCoding = { system: DCM, code: '110112', display: 'Query' };

function eventId({ type, subtype }: FhirAuditEvent): FhirCoding {
  if (type.code !== 'rest') return type;
  return subtype?.some(({ code }) => code !== undefined && REST_QUERIES.has(code)) ? QUERY : PATIENT_RECORD;
}

function identification(event: FhirAuditEvent): string {
  const { action, recorded, outcome = '0', outcomeDesc, purposeOfEvent } = event;
  const transaction = transactionOf(event);
  const types = [...(transaction === undefined ? [] : [transaction]), ...(event.subtype ?? [])];
  const purposes = (purposeOfEvent ?? []).map(
    ({ coding, text }) =>
      coding?.[0] ?? { system: 'careseal', code: 'text', ...(text === undefined ? {} : { display: text }) },
  );
  return (
    `<EventIdentification${action === undefined ? '' : ` EventActionCode="${action}"`} EventDateTime="${attribute(recorded)}" EventOutcomeIndicator="${outcome}">` +
    `${coded('EventID', eventId(event))}${types.map((type) => coded('EventTypeCode', type)).join('')}` +
    `${outcomeDesc === undefined ? '' : `<EventOutcomeDescription>${text(outcomeDesc)}</EventOutcomeDescription>`}` +
    `${purposes.map((purpose) => coded('PurposeOfUse', purpose)).join('')}</EventIdentification>`
  );
}

function participant(agent: FhirAuditEvent['agent'][number]): string {
  const { who, altId, name, requestor, network } = agent;
  const userId = referenceText(who) || network?.address || 'unknown';
  const shownName = name ?? who?.display;
  const roles = [...(agent.type?.coding ?? []), ...(agent.role ?? []).flatMap(({ coding }) => coding ?? [])];
  const point =
    network?.address === undefined
      ? ''
      : ` NetworkAccessPointID="${attribute(network.address)}" NetworkAccessPointTypeCode="${attribute(network.type ?? '2')}"`;
  return (
    `<ActiveParticipant UserID="${attribute(userId)}"${optional('AlternativeUserID', altId)}${optional('UserName', shownName)} UserIsRequestor="${requestor}"${point}>` +
    `${roles.map((role) => coded('RoleIDCode', role)).join('')}</ActiveParticipant>`
  );
}

function source({ source: { site, observer, type } }: FhirAuditEvent): string {
  const id = observer.identifier?.value ?? referenceText(observer) ?? 'unknown';
  const types = (type ?? []).map(
    ({ code, display }) =>
      `<AuditSourceTypeCode csd-code="${attribute(code ?? '9')}"${optional('originalText', display)}/>`,
  );
  return `<AuditSourceIdentification${optional('AuditEnterpriseSiteID', site)} AuditSourceID="${attribute(id)}">${types.join('')}</AuditSourceIdentification>`;
}

type Entity = NonNullable<FhirAuditEvent['entity']>[number];

/** RFC 3881 object id types: a patient, a URI, a search, or none of them. */
function idTypeOf({ type, query }: Entity): FhirCoding {
  if (query !== undefined) return { system: 'RFC-3881', code: '10', display: 'Search Criteria' };
  if (type?.code === '1') return { system: 'RFC-3881', code: '2', display: 'Patient Number' };
  if (type?.code === 'XrequestId') return { system: type.system ?? 'IHE', code: 'XrequestId', display: 'X-Request-Id' };
  return { system: 'RFC-3881', code: '12', display: 'URI' };
}

const TYPE_CODES: ReadonlySet<string> = new Set(['1', '2', '3', '4']);

function object(entity: Entity): string {
  const { what, type, role, name, query, detail, description } = entity;
  const typeCode = type?.code !== undefined && TYPE_CODES.has(type.code) ? type.code : '4';
  const id = referenceText(what) || (query === undefined ? 'unknown' : 'query');
  const inside =
    query === undefined
      ? name === undefined
        ? ''
        : `<ParticipantObjectName>${text(name)}</ParticipantObjectName>`
      : `<ParticipantObjectQuery>${text(query)}</ParticipantObjectQuery>`;
  const details = (detail ?? []).map(
    (one) =>
      `<ParticipantObjectDetail type="${attribute(one.type)}" value="${one.valueBase64Binary ?? base64(one.valueString ?? '')}"/>`,
  );
  return (
    `<ParticipantObjectIdentification ParticipantObjectID="${attribute(id)}" ParticipantObjectTypeCode="${typeCode}"${optional('ParticipantObjectTypeCodeRole', role?.code)}>` +
    `${coded('ParticipantObjectIDTypeCode', idTypeOf(entity))}${inside}${details.join('')}` +
    `${description === undefined ? '' : `<ParticipantObjectDescription>${text(description)}</ParticipantObjectDescription>`}</ParticipantObjectIdentification>`
  );
}

function coded(element: string, { system, code, display }: FhirCoding): string {
  const name = system === undefined ? '' : (SYSTEM_NAMES[system] ?? system);
  return `<${element} csd-code="${attribute(code ?? '')}" codeSystemName="${attribute(name)}" originalText="${attribute(display ?? code ?? '')}"/>`;
}

const optional = (name: string, value: string | undefined): string =>
  value === undefined || value === '' ? '' : ` ${name}="${attribute(value)}"`;

/** Characters that XML 1.0 has no way to write. */
const UNWRITABLE = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g;
const PLAIN = /^[\x20-\x21\x23-\x25\x27-\x3b\x3d\x3f-\x7e]*$/;

function attribute(value: string): string {
  return PLAIN.test(value) ? value : escapeAttribute(value.toWellFormed().replaceAll(UNWRITABLE, '\uFFFD'));
}

function text(value: string): string {
  return PLAIN.test(value) ? value : escapeText(value.toWellFormed().replaceAll(UNWRITABLE, '\uFFFD'));
}

const base64 = (value: string): string => Buffer.from(value).toString('base64');
