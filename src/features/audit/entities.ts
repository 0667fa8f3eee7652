import type { Actor } from '../../kernel/principal.ts';
import type { AuditEntity, AuditInput } from './model.ts';
import { pack } from './packing.ts';
import { inner } from './text.ts';

/** What the act was about: the patient, the data or the query, whatever else was touched, and the request itself. */
const TERMS = 'http://terminology.hl7.org/CodeSystem/';
const role = (code: string, display: string): string =>
  `"role":{"code":"${code}","display":"${display}","system":"${TERMS}object-role"}`;
const kind = (code: string, display: string): string =>
  `"type":{"code":"${code}","display":"${display}","system":"${TERMS}audit-entity-type"}`;

const ROLES = {
  patient: role('1', 'Patient'),
  report: role('3', 'Report'),
  'domain-resource': role('4', 'Domain Resource'),
  user: role('11', 'Security User Entity'),
  'security-resource': role('13', 'Security Resource'),
  job: role('20', 'Job'),
  query: role('24', 'Query'),
} as const;
type EntityRole = keyof typeof ROLES;
/** BALP lets the one data entity have only these roles. */
const DATA_ROLES: ReadonlySet<EntityRole> = new Set(['report', 'domain-resource', 'job']);

const PATIENT = pack(`{${ROLES.patient},${kind('1', 'Person')},"what":{"reference":"Patient/`);
const head = (entityRole: EntityRole, type: string): string => pack(`{${ROLES[entityRole]},${type},"what":{`);
const DATA = byRole((entityRole) => head(entityRole, kind('2', 'System Object')));
const OTHER = byRole((entityRole) => head(entityRole, kind('4', 'Other')));
const PATIENT_DATA = pack(`{${ROLES['domain-resource']},${kind('2', 'System Object')},"what":{"reference":"Patient/`);
const QUERY = '{"query":"';
const QUERY_TYPE = pack(`",${ROLES.query},${kind('2', 'System Object')}}`);
const REQUEST = pack(
  '"type":{"code":"XrequestId","system":"https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"},"what":{"identifier":{"value":"',
);
const DOOR = pack('{"detail":[{"type":"door","valueString":"');
const DETAIL = ',{"type":"';
const VALUE = pack('"valueString":"');
const REFERENCE = pack('"reference":"');
const IDENTIFIER = pack('"identifier":{"system":"https://careseal.org/fhir/');
const DISPLAY = pack('"display":"');

function byRole(make: (entityRole: EntityRole) => string): ReadonlyMap<EntityRole, string> {
  return new Map((Object.keys(ROLES) as EntityRole[]).map((entityRole) => [entityRole, make(entityRole)]));
}

/** The JSON of all entities, packed. `rest` events have one data (or query) entity, since BALP asks for exactly one. */
export function entities(input: AuditInput, patient: string | undefined, rest: boolean): string {
  let out = patient === undefined ? '' : `${PATIENT}${inner(patient.slice('Patient/'.length))}"}},`;
  const others = input.entities ?? [];
  let dataTaken = !rest;
  if (input.query !== undefined) {
    out += `${QUERY}${Buffer.from(input.query).toString('base64')}${QUERY_TYPE},`;
    dataTaken = true;
  } else if (rest && others.length === 0 && patient !== undefined) {
    out += `${PATIENT_DATA}${inner(patient.slice('Patient/'.length))}"}},`;
  }
  for (const entity of others) {
    out += `${entityJson(entity, dataTaken)},`;
    dataTaken = true;
  }
  return out + request(input.actor, input.detail);
}

function entityJson(entity: AuditEntity, dataTaken: boolean): string {
  const asked = entity.role ?? 'domain-resource';
  if (dataTaken) return `${OTHER.get(asked) ?? ''}${what(entity.reference)}}}`;
  const allowed = DATA_ROLES.has(asked) ? asked : 'domain-resource';
  return `${DATA.get(allowed) ?? ''}${what(entity.reference)}}}`;
}

/** References FHIR knows stay references; our own kinds (`Review/…`) become identifiers, since FHIR has no such resource. */
const FHIR_REFERENCE =
  /^(?:AuditEvent|Bundle|Device|DocumentReference|Group|Organization|Patient|Person|Practitioner|Provenance)\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/;
const OWN_REFERENCE = /^([A-Z][A-Za-z]{0,40})\/(.+)$/s;

function what(reference: string): string {
  if (FHIR_REFERENCE.test(reference)) return `${REFERENCE}${reference}"`;
  const own = OWN_REFERENCE.exec(reference);
  if (own?.[1] === undefined || own[2] === undefined) return `${DISPLAY}${inner(reference || 'unnamed')}"`;
  return `${IDENTIFIER}${own[1].toLowerCase()}","value":"${inner(own[2])}"}`;
}

/** BALP's X-Request-Id entity. It also carries our details: BALP forbids them on the query, and nowhere else fits all events. */
function request(actor: Actor, detail: AuditInput['detail']): string {
  let details = `${DOOR}${actor.origin.door}"}`;
  for (const name in detail) {
    const value = detail[name];
    if (value !== undefined && value !== '' && name !== '')
      details += `${DETAIL}${inner(name)}",${VALUE}${inner(value)}"}`;
  }
  return `${details}],${REQUEST}${inner(actor.origin.requestId || 'none')}"}}}`;
}
