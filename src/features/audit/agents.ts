import type { Actor } from '../../kernel/principal.ts';
import type { AgentFlow } from './interactions.ts';
import { pack } from './packing.ts';
import { inner } from './text.ts';

/** Who took part, as BALP has it: the client machine, the server, and the person if there is one. */
const DCM = 'http://dicom.nema.org/resources/ontology/DCM';
const PARTICIPATION = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType';
const CODES = {
  source: { code: '110153', display: 'Source Role ID', system: DCM },
  destination: { code: '110152', display: 'Destination Role ID', system: DCM },
  application: { code: '110150', display: 'Application', system: DCM },
  custodian: {
    code: 'custodian',
    display: 'Custodian',
    system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type',
  },
  author: { code: 'AUT', display: 'author (originator)', system: PARTICIPATION },
  recipient: { code: 'IRCP', display: 'information recipient', system: PARTICIPATION },
} as const;

const CLIENT_CODE = { in: CODES.source, out: CODES.destination, delete: CODES.application } as const;
const SERVER_CODE = { in: CODES.destination, out: CODES.source, delete: CODES.custodian } as const;

const typed = ({ code, display, system }: (typeof CODES)[keyof typeof CODES]): string =>
  `"type":{"coding":[{"code":"${code}","display":"${display}","system":"${system}"}]},"who":{`;

/** FHIR network-type: 1 machine name, 2 IP address, 5 URI. */
type NetworkType = '1' | '2' | '5';
const afterAddress = (network: NetworkType, requestor: boolean, code: (typeof CODES)[keyof typeof CODES]): string =>
  pack(`","type":"${network}"},"requestor":${requestor},${typed(code)}`);

const AFTER_ADDRESS = new Map(
  (['in', 'out', 'delete'] as const).flatMap((flow) =>
    (['1', '2'] as const).flatMap((network) =>
      [true, false].map(
        (requestor) => [`${flow}${network}${requestor}`, afterAddress(network, requestor, CLIENT_CODE[flow])] as const,
      ),
    ),
  ),
);

const NETWORK = pack('"network":{"address":"');
const ALT_ID = '"altId":"';
const DISPLAY = pack('"display":"');
const IDENTIFIER = pack('"identifier":{"system":"https://careseal.org/fhir/');
const NAME = '{"name":"';

/** The machine (or process) at the other end. It counts as the requestor where no person stands behind it. */
export function clientAgent({ principal, origin }: Actor, flow: AgentFlow): string {
  const person = principal.kind === 'user' || principal.kind === 'operator';
  const network = origin.address === undefined ? '1' : '2';
  const after = AFTER_ADDRESS.get(`${flow}${network}${!person}`) ?? '';
  const altId = principal.kind === 'node' ? `${ALT_ID}${principal.certificateSha256}",` : '';
  return `${altId}${NETWORK}${inner(origin.address ?? 'localhost')}${after}${clientWho(principal)}}}`;
}

function clientWho(principal: Actor['principal']): string {
  switch (principal.kind) {
    case 'node':
      return `${DISPLAY}${inner(principal.name || 'unnamed')}",${who('node', principal.nodeId)}`;
    case 'user':
      return `${DISPLAY}Browser"`;
    case 'operator':
      return `${DISPLAY}Command line"`;
    case 'system':
      return `${DISPLAY}Careseal",${who('system', 'system')}`;
    case 'anonymous':
      return `${DISPLAY}Unknown caller",${who('anonymous', 'anonymous')}`;
  }
}

const who = (kind: string, id: string): string => `${IDENTIFIER}${kind}","value":"${inner(id)}"}`;

/** What somebody does while glass is broken is done for that purpose (v3-ActReason). */
const BREAK_GLASS =
  '"purposeOfUse":[{"coding":[{"code":"BTG","display":"break the glass","system":"http://terminology.hl7.org/CodeSystem/v3-ActReason"}]}],';

const AUTHOR = pack(typed(CODES.author));
const RECIPIENT = pack(typed(CODES.recipient));

/** The person, with the roles held at that moment; empty for machines. */
export function userAgent({ principal }: Actor, receives: boolean): string {
  const type = receives ? RECIPIENT : AUTHOR;
  if (principal.kind === 'user') {
    const roles = principal.roles.map((role) => `{"text":"${inner(role)}"}`).join(',');
    const held = roles === '' ? '' : `"role":[${roles}],`;
    const purpose = principal.emergency === undefined ? '' : BREAK_GLASS;
    return `,${NAME}${inner(principal.displayName || 'unnamed')}",${purpose}"requestor":true,${held}${type}${who('user', principal.userId)}}}`;
  }
  if (principal.kind === 'operator') {
    return `,${NAME}${inner(principal.osUser || 'unknown')}","requestor":true,${type}${who('operator', principal.osUser || 'unknown')}}}`;
  }
  return '';
}

/** Careseal itself; constant per installation and flow. */
export function serverAgent(source: { readonly site: string; readonly baseUrl: string }, flow: AgentFlow): string {
  const after = afterAddress('5', false, SERVER_CODE[flow]);
  return `{${NETWORK}${inner(source.baseUrl)}${after}${DISPLAY}Careseal","identifier":{"value":"${inner(source.site)}"}}}`;
}
