import { clientAgent, serverAgent, userAgent } from './agents.ts';
import { entities } from './entities.ts';
import { DICOM, type EventShape } from './events.ts';
import { type AgentFlow, claimedProfile, interactionOf, isRestInteraction } from './interactions.ts';
import type { PackedEvent } from './event-batch.ts';
import type { AuditInput } from './model.ts';
import { pack } from './packing.ts';
import { inner } from './text.ts';

/** What is the same in every event of this installation. */
export interface AuditSource {
  /** Host name of the installation, `source.site`. */
  readonly site: string;
  /** `https://host:port`, the server's network address. */
  readonly baseUrl: string;
}

export interface EventParts {
  readonly id: string;
  /** FHIR instant. */
  readonly recorded: string;
  readonly input: AuditInput;
  readonly shape: EventShape;
  /** `Patient/<id>`: the one patient this AuditEvent is about; BALP asks for one event per patient. */
  readonly patient: string | undefined;
}

const OUTCOME_CODE = { success: '0', 'minor-failure': '4', 'serious-failure': '8' } as const;
const DCM = 'http://dicom.nema.org/resources/ontology/DCM';

const OPEN = {
  C: pack('{"action":"C","agent":[{'),
  R: pack('{"action":"R","agent":[{'),
  U: pack('{"action":"U","agent":[{'),
  D: pack('{"action":"D","agent":[{'),
  E: pack('{"action":"E","agent":[{'),
} as const;
const ENTITY = '],"entity":[';
const ID = '],"id":"';
const META = pack('"meta":{"profile":["https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.');
const SUCCESS = pack('"outcome":"0",');
const RECORDED = '"recorded":"';
const SUBTYPE = pack(
  '"type":[{"code":"4","display":"Application Server","system":"http://terminology.hl7.org/CodeSystem/security-source-type"}]},"subtype":[{"code":"',
);
const REST_SUBTYPE = pack('","system":"http://hl7.org/fhir/restful-interaction"},{"code":"');
const OPEN_SUBTYPE = '{"code":"';
const OWN_SYSTEM = pack('","system":"https://careseal.org/fhir/audit-event"}],');
const DICOM_SYSTEM = pack(`"system":"${DCM}"}`);
const REST_TYPE = pack(
  '"type":{"code":"rest","display":"Restful Operation","system":"http://terminology.hl7.org/CodeSystem/audit-event-type"}}',
);

/**
 * Makes the function that writes events: FHIR R4 AuditEvent, canonical JSON (RFC 8785), packed. The first part says who acted,
 * the last what the act was; many events of a batch share them.
 */
export function createEventWriter(source: AuditSource): (parts: EventParts) => PackedEvent {
  const server: Readonly<Record<AgentFlow, string>> = {
    in: serverAgent(source, 'in'),
    out: serverAgent(source, 'out'),
    delete: serverAgent(source, 'delete'),
  };
  const observer = `${pack('"resourceType":"AuditEvent","source":{"observer":{"display":"Careseal","identifier":{"value":"')}${inner(source.site)}"}},"site":"${inner(source.site)}",`;
  const acts = new Map<string, string>();

  /** Constant per event name and interaction, so kept: the names are a closed list. */
  function actOf(shape: EventShape, subtype: string | undefined, name: string): string {
    const key = subtype === undefined ? name : `${name} ${subtype}`;
    const known = acts.get(key);
    if (known !== undefined) return known;
    const act = `",${observer}${typeAndSubtype(shape, subtype, name)}`;
    acts.set(key, act);
    return act;
  }

  return ({ id, recorded, input, shape, patient }) => {
    const { actor } = input;
    const rest = shape.type === 'rest';
    const subtype = subtypeOf(shape, input);
    const interaction = interactionOf(rest ? subtype : undefined, input.action);
    const receives = input.action === 'R' || interaction.profile === 'Query';
    const profile = rest ? claimedProfile(interaction, input, patient) : undefined;
    return {
      before: `${OPEN[input.action]}${clientAgent(actor, interaction.flow)},${server[interaction.flow]}${userAgent(actor, receives)}${ENTITY}`,
      own:
        `${entities(input, patient, rest)}${ID}${id}",` +
        `${profile === undefined ? '' : `${META}${profile}"]},`}${outcome(input)}${RECORDED}${recorded}`,
      after: actOf(shape, subtype, input.event),
    };
  };
}

function subtypeOf(shape: EventShape, input: AuditInput): string | undefined {
  const asked = input.interaction;
  if (shape.type !== 'rest' || asked === undefined) return shape.subtype;
  if (isRestInteraction(asked)) return asked;
  if (asked === 'history') return 'history-instance';
  return asked.startsWith('$') ? 'operation' : shape.subtype;
}

/** A refusal's code explains the outcome; a reason a person gave explains the purpose. */
function outcome(input: AuditInput): string {
  const reason = input.reason === undefined || input.reason.trim() === '' ? undefined : inner(input.reason);
  if (input.outcome === 'success') {
    return reason === undefined ? SUCCESS : `${SUCCESS}"purposeOfEvent":[{"text":"${reason}"}],`;
  }
  const code = `"outcome":"${OUTCOME_CODE[input.outcome]}",`;
  return reason === undefined ? code : `${code}"outcomeDesc":"${reason}",`;
}

function typeAndSubtype(shape: EventShape, subtype: string | undefined, name: string): string {
  if (shape.type === 'rest') {
    return `${SUBTYPE}${subtype ?? 'operation'}${REST_SUBTYPE}${name}${OWN_SYSTEM}${REST_TYPE}`;
  }
  const dicom =
    shape.subtype === undefined ? '' : `${shape.subtype}",${subtypeDisplay(shape, shape.subtype)},${OPEN_SUBTYPE}`;
  return `${SUBTYPE}${dicom}${name}${OWN_SYSTEM}"type":{"code":"${shape.type}",${dicomDisplay(shape.type)}}`;
}

function subtypeDisplay({ subtypeSystem }: EventShape, subtype: string): string {
  return subtypeSystem === undefined ? dicomDisplay(subtype) : `"system":"${subtypeSystem}"}`;
}

function dicomDisplay(code: string): string {
  const display: Readonly<Record<string, string>> = DICOM;
  return `"display":"${display[code] ?? code}",${DICOM_SYSTEM}`;
}
