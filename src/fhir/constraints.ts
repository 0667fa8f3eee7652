import { timeRange } from './dates.ts';
import { decimalText } from './decimals.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** One invariant of the specification. Written out, since FHIRPath would cost more than all the rest of validation. */
export interface Constraint {
  readonly key: string;
  holds(value: JsonObject): boolean;
  /** What is wanted, in plain words. */
  readonly text: string;
}

const UCUM = 'http://unitsofmeasure.org';

/** Is an element there, be it with a value or with nothing but extensions? */
const has = (value: JsonObject, name: string): boolean => value[name] !== undefined || value[`_${name}`] !== undefined;
const hasChoice = (value: JsonObject, prefix: string): boolean =>
  Object.keys(value).some((key) => key.replace(/^_/, '').startsWith(prefix));
const list = (value: unknown): readonly JsonObject[] =>
  Array.isArray(value) ? value.filter((item): item is JsonObject => typeof item === 'object' && item !== null) : [];
const object = (value: unknown): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
const distinct = (values: readonly unknown[]): boolean => new Set(values).size === values.length;
const implies = (premise: boolean, conclusion: boolean): boolean => !premise || conclusion;
const numberOf = (value: unknown): number => Number(decimalText(value) ?? Number.NaN);

const constraint = (key: string, text: string, holds: (value: JsonObject) => boolean): Constraint => ({
  key,
  text,
  holds,
});

/** Start not after end. FHIRPath leaves the answer open where precisions differ and overlap; open counts as right. */
function isOrdered(start: unknown, end: unknown): boolean {
  if (typeof start !== 'string' || typeof end !== 'string') return true;
  const from = timeRange(start);
  const to = timeRange(end);
  return !from || !to || from.lowMs < to.highMs;
}

const codedInUcum = (value: JsonObject): boolean =>
  (has(value, 'code') || !has(value, 'value')) && (!has(value, 'system') || value['system'] === UCUM);
const quantityNeedsSystem = constraint('qty-3', 'a unit code needs its system', (q) =>
  implies(has(q, 'code'), has(q, 'system')),
);

/** By type. What holds for all (ele-1, ext-1, dom-*, ref-1, txt-*, bdl-11/12) is in validate.ts. */
export const CONSTRAINTS: Readonly<Record<string, readonly Constraint[]>> = {
  'Patient.contact': [
    constraint('pat-1', 'a contact needs a name, telecom, address or organization', (c) =>
      ['name', 'telecom', 'address', 'organization'].some((name) => has(c, name)),
    ),
  ],
  ContactPoint: [
    constraint('cpt-2', 'a contact point with a value needs a system', (c) =>
      implies(has(c, 'value'), has(c, 'system')),
    ),
  ],
  Period: [constraint('per-1', 'a period must not end before it starts', (p) => isOrdered(p['start'], p['end']))],
  Attachment: [
    constraint('att-1', 'an attachment with data needs a contentType', (a) =>
      implies(has(a, 'data'), has(a, 'contentType')),
    ),
  ],
  Quantity: [quantityNeedsSystem],
  Duration: [
    quantityNeedsSystem,
    constraint('drt-1', 'a duration is measured in UCUM units', (d) =>
      implies(has(d, 'code'), d['system'] === UCUM && has(d, 'value')),
    ),
  ],
  Distance: [quantityNeedsSystem, constraint('dis-1', 'a distance is measured in UCUM units', codedInUcum)],
  Count: [
    quantityNeedsSystem,
    constraint(
      'cnt-3',
      'a count is a whole number with the UCUM unit 1',
      (c) =>
        codedInUcum(c) && (!has(c, 'code') || c['code'] === '1') && !(decimalText(c['value'])?.includes('.') ?? false),
    ),
  ],
  Age: [
    quantityNeedsSystem,
    constraint(
      'age-1',
      'an age is above 0 and measured in UCUM units',
      (a) => codedInUcum(a) && (a['value'] === undefined || numberOf(a['value']) > 0),
    ),
  ],
  Ratio: [
    constraint(
      'rat-1',
      'a ratio has numerator and denominator, or neither and an extension',
      (r) => has(r, 'numerator') === has(r, 'denominator') && (has(r, 'numerator') || has(r, 'extension')),
    ),
  ],
  Range: [
    constraint('rng-2', 'the low end of a range must not be above its high end', (r) => {
      const low = object(r['low']);
      const high = object(r['high']);
      if (low['value'] === undefined || high['value'] === undefined || low['code'] !== high['code']) return true;
      return numberOf(low['value']) <= numberOf(high['value']);
    }),
  ],
  'Timing.repeat': [
    constraint('tim-1', 'a duration needs its unit', (t) => implies(has(t, 'duration'), has(t, 'durationUnit'))),
    constraint('tim-2', 'a period needs its unit', (t) => implies(has(t, 'period'), has(t, 'periodUnit'))),
    constraint('tim-4', 'a duration is 0 or more', (t) => implies(has(t, 'duration'), numberOf(t['duration']) >= 0)),
    constraint('tim-5', 'a period is 0 or more', (t) => implies(has(t, 'period'), numberOf(t['period']) >= 0)),
    constraint('tim-6', 'periodMax needs period', (t) => implies(has(t, 'periodMax'), has(t, 'period'))),
    constraint('tim-7', 'durationMax needs duration', (t) => implies(has(t, 'durationMax'), has(t, 'duration'))),
    constraint('tim-8', 'countMax needs count', (t) => implies(has(t, 'countMax'), has(t, 'count'))),
    constraint('tim-9', 'an offset needs a when other than C, CM, CD and CV', (t) =>
      implies(
        has(t, 'offset'),
        Array.isArray(t['when']) && !t['when'].some((when) => ['C', 'CM', 'CD', 'CV'].includes(String(when))),
      ),
    ),
    constraint('tim-10', 'timeOfDay and when exclude each other', (t) => !(has(t, 'timeOfDay') && has(t, 'when'))),
  ],
  TriggerDefinition: [
    constraint('trd-1', 'data and timing exclude each other', (t) => !(has(t, 'data') && hasChoice(t, 'timing'))),
    constraint('trd-2', 'a condition needs data', (t) => implies(has(t, 'condition'), has(t, 'data'))),
    constraint('trd-3', 'a named event needs a name, a periodic event timing, a data event data', (t) => {
      const type = String(t['type']);
      if (type === 'named-event') return has(t, 'name');
      if (type === 'periodic') return hasChoice(t, 'timing');
      return implies(type.startsWith('data-'), has(t, 'data'));
    }),
  ],
  Expression: [
    constraint(
      'exp-1',
      'an expression or a reference must be given',
      (e) => has(e, 'expression') || has(e, 'reference'),
    ),
  ],
  'DataRequirement.codeFilter': [
    constraint('drq-1', 'either path or searchParam must be given', (d) => has(d, 'path') !== has(d, 'searchParam')),
  ],
  'DataRequirement.dateFilter': [
    constraint('drq-2', 'either path or searchParam must be given', (d) => has(d, 'path') !== has(d, 'searchParam')),
  ],
  'Parameters.parameter': [
    constraint('inv-1', 'a parameter has exactly one of value, resource and part', (p) => {
      const given = [hasChoice(p, 'value'), has(p, 'resource'), has(p, 'part')];
      return given.filter(Boolean).length === 1;
    }),
  ],
  Organization: [
    constraint('org-1', 'an organization needs an identifier or a name', (o) => has(o, 'identifier') || has(o, 'name')),
    constraint('org-2', 'the address of an organization is never of use home', (o) =>
      list(o['address']).every((address) => address['use'] !== 'home'),
    ),
    constraint('org-3', 'the telecom of an organization is never of use home', (o) =>
      list(o['telecom']).every((telecom) => telecom['use'] !== 'home'),
    ),
  ],
  'AuditEvent.entity': [
    constraint('sev-1', 'name and query exclude each other', (e) => !(has(e, 'name') && has(e, 'query'))),
  ],
  CapabilityStatement: [
    constraint('cpb-1', 'rest, messaging or document must be given', (c) =>
      ['rest', 'messaging', 'document'].some((name) => has(c, name)),
    ),
    constraint('cpb-2', 'a description, software or implementation must be given', (c) =>
      ['description', 'software', 'implementation'].some((name) => has(c, name)),
    ),
    constraint('cpb-3', 'a messaging endpoint belongs to an instance', (c) =>
      implies(
        list(c['messaging']).some((messaging) => has(messaging, 'endpoint')),
        c['kind'] === 'instance',
      ),
    ),
    constraint('cpb-7', 'documents differ by profile and mode', (c) =>
      distinct(list(c['document']).map((document) => `${String(document['profile'])} ${String(document['mode'])}`)),
    ),
    constraint('cpb-14', 'an instance needs its implementation', (c) =>
      implies(c['kind'] === 'instance', has(c, 'implementation')),
    ),
    constraint('cpb-15', 'a capability has software and no implementation', (c) =>
      implies(c['kind'] === 'capability', !has(c, 'implementation') && has(c, 'software')),
    ),
    constraint('cpb-16', 'requirements have no implementation and no software', (c) =>
      implies(c['kind'] === 'requirements', !has(c, 'implementation') && !has(c, 'software')),
    ),
  ],
  'CapabilityStatement.rest': [
    constraint('cpb-9', 'a resource type is listed once', (r) =>
      distinct(list(r['resource']).map((resource) => resource['type'])),
    ),
  ],
  'CapabilityStatement.rest.resource': [
    constraint('cpb-12', 'a search parameter is listed once', (r) =>
      distinct(list(r['searchParam']).map((parameter) => parameter['name'])),
    ),
  ],
  ...bundleConstraints(),
};

function bundleConstraints(): Readonly<Record<string, readonly Constraint[]>> {
  const entries = (bundle: JsonObject): readonly JsonObject[] => list(bundle['entry']);
  const isOf = (bundle: JsonObject, ...types: readonly string[]): boolean => types.includes(String(bundle['type']));
  return {
    Bundle: [
      constraint('bdl-1', 'a total belongs to a searchset or history', (b) =>
        implies(has(b, 'total'), isOf(b, 'searchset', 'history')),
      ),
      constraint('bdl-2', 'entry.search belongs to a searchset', (b) =>
        implies(
          entries(b).some((entry) => has(entry, 'search')),
          isOf(b, 'searchset'),
        ),
      ),
      constraint('bdl-3', 'every entry of a batch, transaction or history has a request, no other has one', (b) =>
        entries(b).every((entry) => has(entry, 'request') === isOf(b, 'batch', 'transaction', 'history')),
      ),
      constraint(
        'bdl-4',
        'every entry of a batch-response, transaction-response or history has a response, no other has one',
        (b) =>
          entries(b).every(
            (entry) => has(entry, 'response') === isOf(b, 'batch-response', 'transaction-response', 'history'),
          ),
      ),
      constraint('bdl-7', 'a fullUrl occurs once in a bundle, or with different versions', (b) => {
        const named = entries(b).filter((entry) => has(entry, 'fullUrl'));
        const key = (entry: JsonObject): string =>
          `${String(entry['fullUrl'])} ${String(object(object(entry['resource'])['meta'])['versionId'])}`;
        return isOf(b, 'history') || distinct(named.map(key));
      }),
      constraint('bdl-9', 'a document has an identifier with system and value', (b) => {
        const identifier = object(b['identifier']);
        return implies(isOf(b, 'document'), has(identifier, 'system') && has(identifier, 'value'));
      }),
      constraint('bdl-10', 'a document has a timestamp', (b) =>
        implies(isOf(b, 'document'), b['timestamp'] !== undefined),
      ),
      constraint('bdl-11', 'a document starts with a Composition', (b) =>
        implies(isOf(b, 'document'), object(entries(b)[0]?.['resource'])['resourceType'] === 'Composition'),
      ),
      constraint('bdl-12', 'a message starts with a MessageHeader', (b) =>
        implies(isOf(b, 'message'), object(entries(b)[0]?.['resource'])['resourceType'] === 'MessageHeader'),
      ),
    ],
    'Bundle.entry': [
      constraint('bdl-5', 'an entry needs a resource, request or response', (e) =>
        ['resource', 'request', 'response'].some((name) => has(e, name)),
      ),
      constraint('bdl-8', 'a fullUrl names no version', (e) =>
        implies(typeof e['fullUrl'] === 'string', !String(e['fullUrl']).includes('/_history/')),
      ),
    ],
  };
}
