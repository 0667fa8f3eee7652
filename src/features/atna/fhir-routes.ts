import { z } from 'zod';
import {
  bodyFormat,
  MEDIA_TYPES,
  type Negotiated,
  negotiate,
  parseBody,
  parseForm,
  printFhirXml,
} from '../../fhir/index.ts';
import { newId } from '../../crypto/index.ts';
import type { Actor } from '../../kernel/principal.ts';
import { event, permission, type RouteDeclaration, type RouteReply, route } from '../../platform/http/route.ts';
import type { Audit } from '../audit/index.ts';
import { bundleInvalid, eventInvalid, eventUnknown, repositoryOff } from './errors.ts';
import { FhirAuditEvent } from './fhir-audit-event.ts';
import type { Repository } from './receiver.ts';
import { retrieve, type RetrieveDeps, retrieveOne } from './retrieve.ts';

export interface AtnaFhirDeps extends RetrieveDeps {
  readonly audit: Pick<Audit, 'searchWhole' | 'recordNow'>;
  readonly repository: Repository;
  /** Whether other systems' events are taken. */
  readonly takes: boolean;
}

const NOTHING = z.object({});
const FHIR_JSON = 'application/fhir+json; charset=utf-8';
const ONE_BYTES = 1_048_576;
const BUNDLE_BYTES = 8_388_608;
const ENTRIES_MAX = 500;

/** ITI-20 over REST for senders, and ITI-81 for whoever may read the log. */
export function atnaFhirRoutes(deps: AtnaFhirDeps): RouteDeclaration[] {
  return [...retrieveRoutes(deps), ...feedRoutes(deps)];
}

function retrieveRoutes(deps: AtnaFhirDeps): RouteDeclaration[] {
  return [
    route({
      doors: ['users', 'nodes'],
      method: 'GET',
      path: '/fhir/AuditEvent',
      // What other organisations did stands there as well.
      access: permission('audit.read', { scope: 'audit', everywhere: true }),
      audit: event('audit.retrieve'),
      input: { params: NOTHING, query: 'raw', body: 'none' },
      output: 'fhir',
      limits: { bodyBytesMax: 0, perMinute: 600 },
      async handle(request) {
        const { actor, url, baseUrl, query } = request;
        const asked = typeof query === 'string' ? query : '';
        const negotiated = negotiate(parseForm(asked), request.header('accept'));
        const { bundle } = await retrieve(deps, asked, `${baseUrl}/fhir/AuditEvent`);
        const audited = await deps.audit.recordNow([
          { actor, event: 'audit.retrieve', action: 'E', outcome: 'success', query: `GET ${url}` },
        ]);
        return { ...printed(bundle, negotiated), audited };
      },
    }),
    route({
      doors: ['users', 'nodes'],
      method: 'GET',
      path: '/fhir/AuditEvent/:id',
      access: permission('audit.read', { scope: 'audit', everywhere: true }),
      audit: event('audit.retrieve'),
      input: { params: z.strictObject({ id: z.uuid() }), query: 'raw', body: 'none' },
      output: 'fhir',
      limits: { bodyBytesMax: 0, perMinute: 600 },
      async handle(request) {
        const { actor, url, params, query } = request;
        const negotiated = negotiate(parseForm(typeof query === 'string' ? query : ''), request.header('accept'));
        const found = await retrieveOne(deps, params.id);
        if (found === undefined) throw eventUnknown();
        const entities = [{ reference: `AuditEvent/${params.id}`, role: 'security-resource' as const }];
        const audited = await deps.audit.recordNow([
          { actor, event: 'audit.retrieve', action: 'E', outcome: 'success', query: `GET ${url}`, entities },
        ]);
        return { ...printed(found, negotiated), audited };
      },
    }),
  ];
}

/** In the format the caller asked for; what other systems sent is printed as it came where XML has no place for it. */
function printed(resource: object, { format, pretty }: Negotiated): Omit<RouteReply<never>, 'audited'> {
  // Ours by construction, others' by the schema they came through; the printer follows R4's definitions either way.
  const body =
    format === 'xml'
      ? printFhirXml(resource as Parameters<typeof printFhirXml>[0])
      : new TextEncoder().encode(JSON.stringify(resource, null, pretty ? 2 : 0));
  return { status: 200, body, contentType: MEDIA_TYPES[format] };
}

function json(status: number, body: unknown): Omit<RouteReply<never>, 'audited'> {
  return { status, body: new TextEncoder().encode(JSON.stringify(body)), contentType: FHIR_JSON };
}

/** Any node may send its own events: what it says is kept as its word, and it can read nothing with it. */
function feedRoutes(deps: AtnaFhirDeps): RouteDeclaration[] {
  const shared = {
    doors: ['nodes'],
    method: 'POST',
    access: permission('client.read', { scope: 'by-entry' }),
    audit: event('audit.receive'),
    output: 'fhir',
  } as const;
  const input = { params: NOTHING, query: 'raw', body: 'bytes' } as const;
  return [
    route({
      ...shared,
      path: '/fhir/AuditEvent',
      input,
      limits: { bodyBytesMax: ONE_BYTES, perMinute: 60_000 },
      async handle(request) {
        const { actor, body, baseUrl } = request;
        const one = eventOf(read(deps, body, request.header('content-type')));
        const { kept, audited } = await deps.repository.keep(actor, [{ transport: 'fhir', event: one }]);
        const id = kept[0]?.id ?? '';
        const reply = json(201, { ...one, id });
        return { ...reply, headers: { location: `${baseUrl}/fhir/AuditEvent/${id}` }, audited };
      },
    }),
    route({
      ...shared,
      // The base of the audit repository: Bundles at /fhir itself are the registry's.
      path: '/atna',
      input,
      limits: { bodyBytesMax: BUNDLE_BYTES, perMinute: 6_000 },
      handle: (request) => takeBundle(deps, request.actor, read(deps, request.body, request.header('content-type'))),
    }),
    route({
      ...shared,
      path: '/atna/AuditEvent',
      input,
      limits: { bodyBytesMax: ONE_BYTES, perMinute: 60_000 },
      async handle(request) {
        const { actor, body, baseUrl } = request;
        const one = eventOf(read(deps, body, request.header('content-type')));
        const { kept, audited } = await deps.repository.keep(actor, [{ transport: 'fhir', event: one }]);
        const id = kept[0]?.id ?? '';
        return { ...json(201, { ...one, id }), headers: { location: `${baseUrl}/atna/AuditEvent/${id}` }, audited };
      },
    }),
  ];
}

function read({ takes }: AtnaFhirDeps, body: Uint8Array, contentType: string | undefined): unknown {
  if (!takes) throw repositoryOff();
  return parseBody(body, bodyFormat(contentType));
}

function eventOf(value: unknown): FhirAuditEvent {
  const parsed = FhirAuditEvent.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  // The place only: what stands there may be a patient's.
  throw eventInvalid(`${issue?.path.join('.') ?? 'it'} is missing or not as FHIR R4 has it`);
}

const Bundle = z.looseObject({
  resourceType: z.literal('Bundle'),
  type: z.enum(['batch', 'transaction', 'collection']),
  entry: z
    .array(z.looseObject({ resource: z.unknown() }))
    .min(1)
    .max(ENTRIES_MAX),
});

/** All entries are kept together; one that cannot be kept refuses all of them, with its number. */
async function takeBundle(deps: AtnaFhirDeps, actor: Actor, value: unknown) {
  const parsed = Bundle.safeParse(value);
  if (!parsed.success) throw bundleInvalid();
  const events = parsed.data.entry.map(({ resource }) => eventOf(resource));
  const { kept, audited } = await deps.repository.keep(
    actor,
    events.map((one) => ({ transport: 'fhir', event: one })),
  );
  const entry = kept.map(({ id }) => ({ response: { status: '201 Created', location: `AuditEvent/${id}` } }));
  return { ...json(200, { resourceType: 'Bundle', id: newId(), type: 'batch-response', entry }), audited };
}
