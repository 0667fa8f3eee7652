/** PIX query QBP^Q23 (ITI-9) and patient demographics query QBP^Q22 (ITI-21). */
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { fold, parseSearch, parseStoredJson } from '../../fhir/index.ts';
import { Problem } from '../../kernel/problem.ts';
import { type Cursor, personByIdentifier } from '../registry/index.ts';
import { type Authorities, authoritiesOf } from './authorities.ts';
import type { Caller } from './caller.ts';
import { fieldOf, Hl7Field, type Hl7Message, type Segment, segmentsNamed } from './message.ts';
import { dateOf, writtenIdentifiers, writtenPid } from './pid.ts';
import { Hl7Refusal } from './reply.ts';

/** What a response carries after MSA: QAK, the echoed QPD, PID and DSC. */
export interface QueryAnswer {
  readonly segments: readonly string[];
  /** `Patient/<id>` of those found, for the audit log. */
  readonly patients: readonly string[];
}

export interface Query {
  readonly qpd: Segment;
  /** QPD-1 and QPD-2 as they came, for QAK. */
  readonly name: string;
  readonly tag: string;
}

/** Throws Hl7Refusal where there is no query in it. */
export function queryOf(message: Hl7Message): Query {
  const [qpd] = segmentsNamed(message, 'QPD');
  if (qpd === undefined)
    throw new Hl7Refusal({
      ack: 'AE',
      code: '100',
      text: 'A QPD segment is needed.',
      location: 'QPD',
      reason: 'hl7-segments',
    });
  return {
    qpd,
    name: rewritten(message, qpd.fields[1] ?? ''),
    tag: rewritten(message, qpd.fields[2] ?? '').slice(0, 64),
  };
}

export function queryAck({ name, tag }: Query, status: 'OK' | 'NF' | 'AE' | 'AR', count?: number): string {
  return `QAK|${tag}|${status}|${name}${count === undefined ? '' : `|${count}`}`;
}

/** The query as it came, with our delimiters. */
export function echoed(message: Hl7Message, { qpd }: Query): string {
  return ['QPD', ...qpd.fields.slice(1).map((field) => rewritten(message, field))].join('|');
}

function rewritten({ delimiters }: Hl7Message, raw: string): string {
  const standard = { component: '^', repetition: '~', escape: '\\', subcomponent: '&' } as const;
  let text = '';
  for (const character of raw) {
    const kind = (Object.keys(standard) as (keyof typeof standard)[]).find((name) => delimiters[name] === character);
    text += kind === undefined ? (['|', '^', '~', '\\', '&'].includes(character) ? ' ' : character) : standard[kind];
  }
  return text;
}

export async function pixQuery(caller: Caller, message: Hl7Message, query: Query): Promise<QueryAnswer> {
  const { deps, principal, registry } = caller;
  const authorities = await authoritiesOf(deps);
  const source = fieldOf(message, query.qpd, 3);
  const value = source.value();
  if (value === undefined) throw missing('A person identifier is needed.', 'QPD^1^3');
  const system = authorities.systemOf(source, principal);
  if (system === undefined) throw unknown('The assigning authority is not known here.', 'QPD^1^3^1^4');
  const targets = targetsIn(fieldOf(message, query.qpd, 4), authorities, { principal: caller, place: 'QPD^1^4' });
  const { id, patient } = await personByIdentifier(
    { registry, domains: deps.nodes.domains, identityRules: deps.identityRules },
    { system, value },
  ).catch(asUnknown);
  const others = (patient.identifier ?? []).filter(
    (one) =>
      !(one.system === system && one.value === value) && (targets.length === 0 || targets.includes(one.system ?? '')),
  );
  const echo = echoed(message, query);
  const patients = [`Patient/${id}`];
  if (others.length === 0) return { segments: [queryAck(query, 'NF'), echo], patients };
  // ITI-9 §3.9.4.2.2.6: names are not told here, so PID-5 holds the pseudo-name that its being required asks for.
  const pid = `PID|||${writtenIdentifiers(distinct(others), authorities)}||~^^^^^^S`;
  return { segments: [queryAck(query, 'OK'), echo, pid], patients };
}

function distinct(identifiers: readonly Identifier[]): Identifier[] {
  return [...new Map(identifiers.map((one) => [JSON.stringify([one.system, one.value]), one])).values()];
}

/** Domains asked for: a repeating CX of which only the authority says something. */
function targetsIn(
  field: Hl7Field,
  authorities: Authorities,
  { principal, place }: { readonly principal: Caller; readonly place: string },
): readonly string[] {
  return field.repetitions().map((cx, index) => {
    const authority = cx.component(4);
    const system = authority.isEmpty ? undefined : authorities.systemOf(cx, principal.principal);
    if (system === undefined) throw unknown('This domain is not known here.', `${place}^${index + 1}`);
    return system;
  });
}

const LIMIT_DEFAULT = 20;
const LIMIT_MAX = 200;

export async function demographicsQuery(caller: Caller, message: Hl7Message, query: Query): Promise<QueryAnswer> {
  const { deps, registry } = caller;
  const authorities = await authoritiesOf(deps);
  const asked = askedIn(message, { query, caller, authorities });
  const targets = targetsIn(fieldOf(message, query.qpd, 8), authorities, { principal: caller, place: 'QPD^1^8' });
  const parsed = parseSearch(asked.pairs, { nowMs: deps.clock.nowMs(), strict: true });
  const [rcp] = segmentsNamed(message, 'RCP');
  const wanted = Number(fieldOf(message, rcp, 2).value() ?? LIMIT_DEFAULT);
  const limit = Number.isInteger(wanted) && wanted > 0 ? Math.min(wanted, LIMIT_MAX) : LIMIT_DEFAULT;
  const [dsc] = segmentsNamed(message, 'DSC');
  const after = fieldOf(message, dsc, 1).value();
  const found = await registry.search({
    kind: 'golden',
    terms: parsed.terms,
    accepts: (patient) => parsed.accepts(patient) && asked.accepts(patient),
    everything: false,
    order: 'id',
    limit,
    total: 'quick',
    caller: `node ${caller.principal.nodeId}`,
    // Opened by the registry, which refuses what it did not make.
    ...(after === undefined ? {} : { after: after as Cursor }),
  });
  const pids = found.records.map(({ content }, index) => {
    const patient = parseStoredJson(content ?? new Uint8Array(0)) as Patient;
    const shown = (patient.identifier ?? []).filter(
      ({ system }) => targets.length === 0 || targets.includes(system ?? ''),
    );
    return writtenPid({ ...patient, identifier: shown }, index + 1, authorities);
  });
  const status = pids.length === 0 ? 'NF' : 'OK';
  const more = found.next === undefined ? [] : [`DSC|${found.next}|I`];
  return {
    segments: [queryAck(query, status, found.total), echoed(message, query), ...pids, ...more],
    patients: found.records.map(({ id }) => `Patient/${id}`),
  };
}

interface Asked {
  readonly pairs: readonly (readonly [string, string])[];
  accepts(patient: Patient): boolean;
}

/** QPD-3: `@PID.5.1^SMITH~@PID.7.1^19800101`. A name matches as a whole, and by its beginning where it ends with `*`. */
function askedIn(
  message: Hl7Message,
  { query, caller, authorities }: { readonly query: Query; readonly caller: Caller; readonly authorities: Authorities },
): Asked {
  const given = new Map<string, string>();
  for (const [index, part] of fieldOf(message, query.qpd, 3).repetitions().entries()) {
    const name = part.component(1).value()?.replace(/^@/, '');
    const value = part.component(2).value();
    if (value === undefined) continue;
    if (name === undefined || !Object.hasOwn(PARAMETERS, name) || given.has(name))
      throw new Hl7Refusal({
        ack: 'AE',
        code: '102',
        text: 'This parameter is not understood.',
        location: `QPD^1^3^${index + 1}^1`,
        reason: 'hl7-parameter',
      });
    given.set(name, value);
  }
  const pairs: [string, string][] = [];
  const whole: [kind: 'family' | 'given', value: string][] = [];
  for (const [name, value] of given) {
    const parameter = PARAMETERS[name];
    if (parameter === undefined || parameter === '') continue;
    const plain = value.replace(/\*$/, '');
    if ((parameter === 'family' || parameter === 'given') && plain === value) whole.push([parameter, fold(value)]);
    pairs.push([parameter, escapedParameter(valueFor(parameter, plain))]);
  }
  const identifier = identifierAsked(given, { caller, authorities, delimiters: message.delimiters });
  if (identifier) pairs.push(['identifier', identifier]);
  if (pairs.length === 0) throw missing('At least one parameter is needed.', 'QPD^1^3');
  return { pairs, accepts: (patient) => whole.every(([kind, value]) => hasName(patient, kind, value)) };
}

/** FHIR search parameters by the field they are asked by; '' are read together. */
const PARAMETERS: Readonly<Record<string, string>> = {
  'PID.3': '',
  'PID.3.1': '',
  'PID.3.4': '',
  'PID.3.4.1': '',
  'PID.3.4.2': '',
  'PID.3.4.3': '',
  'PID.5.1': 'family',
  'PID.5.1.1': 'family',
  'PID.5.2': 'given',
  'PID.6.1': 'mothersMaidenName',
  'PID.6.1.1': 'mothersMaidenName',
  'PID.7': 'birthdate',
  'PID.7.1': 'birthdate',
  'PID.8': 'gender',
  'PID.11.1': 'address',
  'PID.11.1.1': 'address',
  'PID.11.3': 'address-city',
  'PID.11.4': 'address-state',
  'PID.11.5': 'address-postalcode',
  'PID.11.6': 'address-country',
  'PID.13': 'phone',
  'PID.13.1': 'phone',
  'PID.13.4': 'email',
};

function valueFor(parameter: string, value: string): string {
  if (parameter === 'birthdate') return dateOf(value) ?? value;
  if (parameter !== 'gender') return value;
  return { M: 'male', F: 'female', O: 'other', A: 'other', N: 'other' }[value.toUpperCase()] ?? 'unknown';
}

/** FHIR's own separators are text here. */
const escapedParameter = (value: string): string => value.replaceAll(/[\\,$|]/g, (character) => `\\${character}`);

function identifierAsked(
  given: ReadonlyMap<string, string>,
  {
    caller,
    authorities,
    delimiters,
  }: { readonly caller: Caller; readonly authorities: Authorities; readonly delimiters: Hl7Message['delimiters'] },
): string | undefined {
  const value = given.get('PID.3.1') ?? given.get('PID.3');
  const parts = [given.get('PID.3.4.1') ?? given.get('PID.3.4'), given.get('PID.3.4.2'), given.get('PID.3.4.3')];
  const named = parts.some((part) => part !== undefined);
  if (value === undefined && !named) return undefined;
  if (!named) return escapedParameter(value ?? '');
  const { component, subcomponent } = delimiters;
  const cx = new Hl7Field(`x${component.repeat(3)}${parts.map((part) => part ?? '').join(subcomponent)}`, delimiters);
  const system = authorities.systemOf(cx, caller.principal);
  if (system === undefined) throw unknown('The assigning authority is not known here.', 'QPD^1^3');
  return `${system}|${escapedParameter(value ?? '')}`;
}

function hasName(patient: Patient, kind: 'family' | 'given', value: string): boolean {
  return (patient.name ?? []).some((name) =>
    kind === 'family'
      ? name.family !== undefined && fold(name.family) === value
      : (name.given ?? []).some((part) => fold(part) === value),
  );
}

function asUnknown(error: unknown): never {
  if (!(error instanceof Problem)) throw error;
  if (error.code === 'pix-ambiguous') throw unknown(error.publicDetail, 'QPD^1^3');
  throw unknown('This identifier is not known here.', 'QPD^1^3^1^1');
}

const unknown = (text: string, location: string): Hl7Refusal =>
  new Hl7Refusal({ ack: 'AE', code: '204', text, location, reason: 'hl7-unknown-key' });
const missing = (text: string, location: string): Hl7Refusal =>
  new Hl7Refusal({ ack: 'AE', code: '101', text, location, reason: 'hl7-field-missing' });
