import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { newId } from '../../src/crypto/index.ts';
import type { RouteDeclaration } from '../../src/platform/http/index.ts';
import { type Programme, programme } from '../support/organisations.ts';
import { person } from '../support/registry.ts';

/**
 * P85: fields that nobody asked for (whose a thing is, who agreed to it, its state, its id, its version) change nothing, whatever
 * address they are sent to. Every address of the route list that takes a body is in the tables below: what its body may hold is
 * read from its declaration, so that a new address, or a new field that says who, whose or how far, fails until somebody has
 * written down why it may.
 */
let p: Programme;
let routes: readonly RouteDeclaration[];
beforeAll(async () => {
  p = await programme();
  routes = p.services.routes;
}, 120_000);
afterAll(() => p.close());

/** Names by which somebody might make themselves, or a thing, into more than it is. */
const PRIVILEGED =
  /^(_?id|rawId|.*[a-z](Id|At|By)|version|state|status|active|central|ceiling|permissions?|roles?|scopes?|owner|organisation|everywhere|reach|binding|approved|agreed|verified|trusted?|domains?|perMinute|enabled|[aA]dmin.*|mfa|secondFactor|secondPerson)$/;

/** The fields of that kind that an address takes, and what asks whether the caller may. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  // Whom or what the act is about: asked against the reach of the caller (P31, P56, P62).
  'POST /api/access-review/confirm': ['userId', 'organisationId'],
  'POST /api/audit/report': ['organisation'],
  'POST /api/audit/report/file': ['organisation'],
  'POST /api/clients/:id/shares': ['organisationId'],
  'POST /api/clients/:id/shares/end': ['organisationId'],
  'POST /api/clients/:id/undo': ['entryId'],
  'POST /api/clients/:id/unlink': ['sourceId'],
  'POST /api/session/organisation': ['organisationId'],
  'POST /api/rights': ['userId', 'organisationId'],
  'POST /api/users/search': ['organisation', 'state'],
  'POST /api/organisations/search': ['state'],
  'POST /api/policy/exceptions': ['userId', 'endsAt'],
  'POST /api/notices': ['roles', 'endsAt'],
  // A provider’s own names for things; the visit is bound to the browser that began it (P33).
  'POST /api/sign-in/provider': ['providerId'],
  'POST /api/sign-in/provider/return': ['state'],
  'POST /api/identities': ['providerId'],
  'POST /api/identity-link': ['providerId'],
  'POST /api/providers': ['clientId'],
  'PUT /api/providers/:id': ['clientId'],
  // Passkeys as browsers write them: who they are of is asked of what is stored (P24).
  'POST /api/factors/passkey': ['credential.id', 'credential.rawId'],
  'POST /api/sign-in/passkey': ['credential.id', 'credential.rawId'],
  'POST /api/step-up': ['credential.id', 'credential.rawId'],
  'POST /api/password-reset': ['proof.credential.id', 'proof.credential.rawId'],
  // The one that the set-up link makes.
  'POST /api/setup/account': ['organisation'],
  // Rights: within those of the caller (P10, P30).
  'POST /api/users': ['roles', 'organisationId'],
  'POST /api/users/:id/memberships': ['roles', 'organisationId'],
  'PUT /api/users/:id/roles': ['roles', 'organisationId'],
  'POST /api/organisations': ['ceiling'],
  'PUT /api/organisations/:id': ['ceiling'],
  'POST /api/roles': ['permissions'],
  'PUT /api/roles/:id': ['permissions'],
  'POST /api/personal-tokens': ['permissions'],
  // Systems: nobody gives what they may not do themselves (P55).
  'POST /api/nodes': ['domain', 'domains', 'perMinute', 'scopes'],
  'PATCH /api/nodes/:id': ['domains', 'perMinute', 'scopes'],
  'POST /api/trust/rules': ['authorityId', 'nodeId'],
  // Settings of the programme, by who may set them, after a fresh proof (P25, P59).
  'PUT /api/policy/requirement': ['scope', 'scopeId', 'secondFactor'],
  'PUT /api/policy/networks': ['scope', 'scopeId'],
  'PUT /api/review-rules': ['secondPerson'],
  'PUT /api/alerts/rules/:name': ['enabled'],
  'POST /api/deliveries/rerun': ['nodeId'],
  // Names of models, which decide nothing before they are promoted (P75, P76).
  'POST /api/models': ['version'],
  'POST /api/models/:id/adjust': ['version'],
  'POST /api/models/train': ['version'],
  'POST /api/models/simulate': ['modelId'],
  'POST /api/models/evaluate': ['map.active', 'map.address.state', 'map.id', 'modelId', 'uploadId'],
  'PUT /api/models/shadow': ['modelId'],
  // Whose upload and domain it is, is asked (P31, P56); a map names columns of the file.
  'POST /api/loads': ['domain', 'map.active', 'map.address.state', 'map.id', 'uploadId'],
  'POST /api/loads/uploads/:id/preview': ['domain', 'map.active', 'map.address.state', 'map.id'],
  'PUT /api/mappings/:name': ['map.active', 'map.address.state', 'map.id'],
};

/** Places in a body that take fields of any name, and who judges them. */
const OPEN: Readonly<Record<string, readonly string[]>> = {
  // Browsers put there what they like; it is not read.
  'POST /api/factors/passkey': ['credential.clientExtensionResults'],
  'POST /api/sign-in/passkey': ['credential.clientExtensionResults'],
  'POST /api/step-up': ['credential.clientExtensionResults'],
  'POST /api/password-reset': ['proof.credential.clientExtensionResults'],
  // Judged by the strict schema of the settings; one unknown name refuses all.
  'PUT /api/policy': ['settings'],
  // Judged by the schema of models.
  'POST /api/models': ['document'],
  // Words of a file and what they mean.
  'POST /api/models/evaluate': ['map.gender.values'],
  'POST /api/loads': ['map.gender.values'],
  'POST /api/loads/uploads/:id/preview': ['map.gender.values'],
  'PUT /api/mappings/:name': ['map.gender.values'],
  // Kept as they are, for their owner.
  'POST /api/audit/searches': ['filters'],
};

/** Bodies that no schema of ours reads, and which test sends them what nobody asked for. */
const UNREAD: Readonly<Record<string, string>> = {
  'POST /api/trust/authorities/:id/crl': 'a signed list: p65',
  'POST /api/loads/uploads': 'a file: p13',
  'POST /enrol': 'a token and a certificate request, whose names are not taken over: p38',
  'POST /renew': 'a certificate request, whose names are not taken over: p38',
  'POST /oauth/token': 'a form of known fields; scopes are narrowed: p39',
  'POST /fhir/AuditEvent': 'kept as it came, marked with who proved to send it: p50',
  'POST /atna': 'the same',
  'POST /atna/AuditEvent': 'the same',
  'POST /fhir/Patient': 'below',
  'PUT /fhir/Patient': 'below',
  'PUT /fhir/Patient/:id': 'below',
  'POST /fhir': 'below',
  'POST /fhir/': 'below',
  'POST /fhir/Bundle': 'below',
  'POST /fhir/$process-message': 'the same writes: p40, p43',
  'POST /fhir/Patient/_search': 'reads',
  'POST /fhir/Patient/$match': 'reads',
  'POST /fhir/Patient/$ihe-pix': 'reads',
  'POST /fhir/Patient/$merge': 'two references: p43, p56',
  'POST /fhir/Subscription': 'p46, p87',
  'PUT /fhir/Subscription/:id': 'p46, p87',
  'POST /match/matches': 'reads',
  'POST /match/:call': 'reads',
};

/** Places in a body whose other fields are dropped, not refused: what a browser says of a passkey grows with its versions. */
const DROPPED: Readonly<Record<string, readonly string[]>> = {
  'POST /api/factors/passkey': ['credential', 'credential.response'],
  'POST /api/sign-in/passkey': ['credential', 'credential.response'],
  'POST /api/step-up': ['credential', 'credential.response'],
  'POST /api/password-reset': ['proof.credential', 'proof.credential.response'],
};

interface Field {
  readonly name: string;
  /** From the body, `[]` for what a list holds. */
  readonly at: string;
}
interface Shape {
  readonly fields: readonly Field[];
  /** Places that take any field at all: what they hold has to be judged by hand. */
  readonly open: readonly string[];
  /** Places where a field that is not in the list is passed over in silence. */
  readonly dropped: readonly string[];
}

/** All that a body may hold, by its JSON Schema. */
function shapeOf(body: z.ZodType): Shape {
  const root = z.toJSONSchema(body, { io: 'input', unrepresentable: 'any' }) as Json;
  const fields: Field[] = [];
  const open: string[] = [];
  const dropped: string[] = [];
  const visit = (node: Json | undefined, at: string): void => {
    if (node === undefined) return;
    const { $ref, properties, additionalProperties, items, anyOf, oneOf, allOf, type, prefixItems } = node;
    if ($ref !== undefined) return visit(root.$defs?.[$ref.split('/').at(-1) ?? ''], at);
    for (const one of [...(anyOf ?? []), ...(oneOf ?? []), ...(allOf ?? []), ...(prefixItems ?? [])]) visit(one, at);
    visit(items, `${at}[]`);
    for (const [name, inner] of Object.entries(properties ?? {})) {
      const inside = at === '' ? name : `${at}.${name}`;
      fields.push({ name, at: inside });
      visit(inner, inside);
    }
    if (type === 'object' && typeof additionalProperties === 'object') open.push(at);
    if (properties !== undefined && additionalProperties === undefined) dropped.push(at);
    const saysNothing = [type, $ref, anyOf, oneOf, allOf, node.enum, node.const].every((one) => one === undefined);
    if (saysNothing) open.push(at);
  };
  visit(root, '');
  return { fields, open, dropped };
}
interface Json {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Json>>;
  readonly properties?: Readonly<Record<string, Json>>;
  readonly additionalProperties?: boolean | Json;
  readonly items?: Json;
  readonly prefixItems?: readonly Json[];
  readonly anyOf?: readonly Json[];
  readonly oneOf?: readonly Json[];
  readonly allOf?: readonly Json[];
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
}

const withBody = (): [string, z.ZodType][] =>
  routes.flatMap(({ method, path, input }) =>
    typeof input.body === 'string' ? [] : [[`${method} ${path}`, input.body] as [string, z.ZodType]],
  );

const unique = (all: readonly string[]): string[] => [...new Set(all)].toSorted();

test('every field of an address that says who, whose, or how far, is one that somebody has thought of', () => {
  const found = Object.fromEntries(
    withBody().flatMap(([name, body]) => {
      const names = unique(shapeOf(body).fields.flatMap((field) => (PRIVILEGED.test(field.name) ? [field.at] : [])));
      return names.length === 0 ? [] : [[name, names]];
    }),
  );
  expect(found).toEqual(Object.fromEntries(Object.entries(MAY).map(([name, fields]) => [name, unique(fields)])));
});

test('no body takes fields of any other name, but in places that are judged by hand', () => {
  const found = Object.fromEntries(
    withBody().flatMap(([name, body]) => {
      const places = unique(shapeOf(body).open);
      return places.length === 0 ? [] : [[name, places]];
    }),
  );
  expect(found).toEqual(OPEN);
});

test('a field that nobody knows is refused, not dropped, wherever it stands', () => {
  const found = Object.fromEntries(
    withBody().flatMap(([name, body]) => {
      const places = unique(shapeOf(body).dropped);
      return places.length === 0 ? [] : [[name, places]];
    }),
  );
  expect(found).toEqual(DROPPED);
});

test('every body that is read without a schema of ours has an answer', () => {
  const unread = routes.flatMap(({ method, path, input }) =>
    input.body === 'bytes' || input.body === 'stream' ? [`${method} ${path}`] : [],
  );
  expect(unique(unread)).toEqual(unique(Object.keys(UNREAD)));
});

test('the policy refuses settings that it does not know', async () => {
  const policy = await p.ask('centre administrator', 'PUT', '/api/policy', { settings: { approvedBy: newId() } });
  expect([policy.status, policy.json<{ code: string }>().code]).toEqual([422, 'policy-refused']);
});

describe('a record', () => {
  const KIND = 'https://careseal.org/fhir/record-kind';
  const more = (id: string, golden: string) => ({
    id,
    meta: {
      versionId: '99',
      lastUpdated: '1999-01-01T00:00:00Z',
      source: 'urn:south:system',
      security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'V' }],
      tag: [{ system: KIND, code: 'golden' }],
    },
    link: [{ type: 'refer', other: { reference: `Patient/${golden}` } }],
    managingOrganization: { reference: `Organization/${p.organisations.south}` },
  });
  const key = (value: string): [string, string] => ['urn:north:mrn', value];

  interface Stored {
    readonly id: string;
    readonly meta: { versionId: string; lastUpdated: string; tag: readonly { system: string; code: string }[] };
    readonly link?: readonly { type: string; other: { reference: string } }[];
  }

  test('is a source record of its sender’s, under an id, version and time of ours, whatever it says of itself', async () => {
    const theirs = await p.register('south registrar', {
      ...{ key: ['urn:south:mrn', 'S-1'], given: 'Zulaika', family: 'Nantongo', birthDate: '1984-03-12' },
    });
    const claimed = newId();
    const began = Date.now();
    const bodyOf = (value: string) => ({
      ...person({ key: key(value), given: 'Peter', family: 'Ochieng', birthDate: '1990-01-02' }),
      ...more(claimed, theirs.golden),
    });
    const entry = {
      resource: bodyOf('N-3'),
      request: { method: 'PUT', url: 'Patient?identifier=urn:north:mrn|N-3' },
    };
    const { id: _, ...conditional } = bodyOf('N-2');
    const bundle = {
      resourceType: 'Bundle',
      type: 'batch',
      entry: [{ ...entry, resource: { ...entry.resource, id: undefined } }],
    };
    const answers = [
      await p.ask('north registrar', 'POST', '/fhir/Patient', bodyOf('N-1')),
      await p.ask('north registrar', 'PUT', '/fhir/Patient?identifier=urn:north:mrn|N-2', conditional),
      await p.ask('north registrar', 'POST', '/fhir', bundle),
    ];
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 200]);
    for (const value of ['N-1', 'N-2', 'N-3']) {
      const query = `/fhir/Patient?identifier=urn:north:mrn|${value}&_tag=${KIND}|source`;
      const found = (await p.ask('north registrar', 'GET', query)).json<{ entry: { resource: Stored }[] }>().entry;
      expect(found).toHaveLength(1);
      const stored = found[0]?.resource;
      expect(stored?.id).not.toBe(claimed);
      expect(stored?.meta).toMatchObject({ versionId: '1', tag: [{ system: KIND, code: 'source' }] });
      expect(Date.parse(stored?.meta.lastUpdated ?? '')).toBeGreaterThanOrEqual(began - 1_000);
    }
    // What it says about others reaches no golden record, nor whose clients anybody sees.
    const golden = (await p.ask('north registrar', 'GET', '/fhir/Patient?identifier=urn:north:mrn|N-1')).text;
    expect(golden).not.toContain(theirs.golden);
    expect((await p.ask('north registrar', 'GET', `/fhir/Patient/${theirs.golden}`)).status).toBe(404);
    expect((await p.ask('south registrar', 'GET', '/fhir/Patient?identifier=N-1')).json()).toMatchObject({ total: 0 });
    expect((await p.ask('north registrar', 'GET', `/fhir/Patient/${claimed}`)).status).toBe(404);
  });

  test('is not made under an id that the sender chose, nor moved to one', async () => {
    const chosen = newId();
    const body = { ...person({ key: key('N-9'), given: 'Peter', family: 'Ochieng' }), id: chosen };
    const made = await p.ask('north registrar', 'PUT', `/fhir/Patient/${chosen}`, body);
    expect([403, 404, 405], made.text).toContain(made.status);
  });
});
