/** What every FHIR request needs before it is handled: the format of its answer, its base address, its preferences. */
import type { OperationOutcome, Resource } from '@medplum/fhirtypes';
import type { KeyRing } from '../../store/index.ts';
import {
  type BundleAnswer,
  etag,
  type FormPairs,
  httpDate,
  MEDIA_TYPES,
  type Negotiated,
  negotiate,
  parseForm,
  parsePrefer,
  type Preferences,
  printBundle,
  printResource,
  printStored,
} from '../../fhir/index.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import { parseId } from '../../kernel/ids.ts';
import type { Actor, Principal } from '../../kernel/principal.ts';
import type { Clock } from '../../kernel/time.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { RouteReply } from '../../platform/http/route.ts';
import type { StoredResource } from '../../store/model.ts';
import type { Audit } from '../audit/index.ts';
import type { Domains } from '../nodes/index.ts';
import type { Aliases } from './aliases.ts';
import type { IdentityRules } from './model.ts';
import { clientNotFound } from './problems.ts';
import type { RegistryCore } from './service.ts';

/** What the routes have: whose request it is decides what of the registry is there. */
export interface FhirRouteDeps extends Omit<FhirDeps, 'registry'> {
  readonly registry: { as(principal: Principal): RegistryCore };
}

/** What handlers work with: the registry as the caller sees it. */
export function seenBy(deps: FhirRouteDeps, { principal }: Actor): FhirDeps {
  return { ...deps, registry: deps.registry.as(principal) };
}

export interface FhirDeps {
  readonly registry: RegistryCore;
  readonly audit: Pick<Audit, 'recordNow'>;
  readonly keyRing: Pick<KeyRing, 'seal' | 'open'>;
  readonly domains: Pick<Domains, 'table' | 'ensureForUsers'>;
  readonly clock: Clock;
  readonly softwareVersion: string;
  /** Other names of identifier systems; none where this is missing. */
  readonly aliases?: Pick<Aliases, 'table'>;
  /** `plain` where this is missing. */
  readonly identityRules?: IdentityRules;
  /** Answer systems as OpenCR does; see fhir-opencr.ts. */
  readonly openCrCalls?: boolean;
}

/** The part of a RouteRequest that is looked at here; entries of a bundle make their own. */
export interface FhirRequest {
  readonly actor: Actor;
  readonly baseUrl: string;
  /** The query string, undecoded; routes with `query: 'raw'` have it as text. */
  readonly query: unknown;
  header(name: string): string | undefined;
}

export interface Exchange {
  readonly actor: Actor;
  /** `https://host:port/fhir`. */
  readonly base: string;
  readonly query: FormPairs;
  readonly negotiated: Negotiated;
  readonly preferences: Preferences;
}

const PLAIN: Preferences = { return: undefined, strict: false };

export function rawQuery({ query }: Pick<FhirRequest, 'query'>): string {
  return typeof query === 'string' ? query : '';
}

/** Throws 406 before anything is done for a client that could not read the answer. */
export function openExchange(request: FhirRequest): Exchange {
  const query = parseForm(rawQuery(request));
  const prefer = request.header('prefer');
  return {
    actor: request.actor,
    base: `${request.baseUrl}/fhir`,
    query,
    negotiated: negotiate(query, request.header('accept')),
    preferences: prefer === undefined ? PLAIN : parsePrefer(prefer),
  };
}

export function resourceId(text: string): ResourceId {
  const id = parseId<ResourceId>(text);
  if (!id) throw clientNotFound();
  return id;
}

/** Whom a paging link belongs to. */
export function principalKey(principal: Principal): string {
  if (principal.kind === 'user') return `user ${principal.userId}`;
  return principal.kind === 'node' ? `node ${principal.nodeId}` : principal.kind;
}

export const versionHeaders = (stored: Pick<StoredResource, 'version' | 'lastUpdatedMs'>): Record<string, string> => ({
  etag: etag(stored.version),
  'last-modified': httpDate(stored.lastUpdatedMs),
});

type Reply = RouteReply<never>;

interface ReplyHead {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly audited: AuditReceipt | null;
}

function reply(body: Uint8Array, { negotiated }: Exchange, { status = 200, headers = {}, audited }: ReplyHead): Reply {
  return { status, body, contentType: MEDIA_TYPES[negotiated.format], headers, audited };
}

export function storedReply(content: Uint8Array, exchange: Exchange, head: ReplyHead): Reply {
  return reply(printStored(content, exchange.negotiated), exchange, head);
}

export function resourceReply(resource: Resource, exchange: Exchange, head: ReplyHead): Reply {
  return reply(printResource(resource, exchange.negotiated), exchange, head);
}

export function bundleReply(answer: BundleAnswer, exchange: Exchange, head: ReplyHead): Reply {
  return reply(printBundle(answer, exchange.negotiated), exchange, head);
}

export function informationOutcome(text: string): OperationOutcome {
  return {
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'information', code: 'informational', details: { text } }],
  };
}
