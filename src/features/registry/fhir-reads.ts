/** FHIR read, vread and instance history. */
import type { AnswerEntry } from '../../fhir/index.ts';
import { etag, isNotModified } from '../../fhir/index.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import { Problem } from '../../kernel/problem.ts';
import { instant } from '../../kernel/time.ts';
import type { RouteReply } from '../../platform/http/route.ts';
import type { StoredResource } from '../../store/model.ts';
import type { AuditInput } from '../audit/index.ts';
import { openPage, sealPage } from './fhir-cursor.ts';
import {
  bundleReply,
  type Exchange,
  type FhirDeps,
  principalKey,
  resourceId,
  storedReply,
  versionHeaders,
} from './fhir-exchange.ts';
import { historyPageOf } from './fhir-history-query.ts';
import { clientDeleted, clientNotFound } from './problems.ts';

export interface ReadConditions {
  readonly ifNoneMatch: string | undefined;
  readonly ifModifiedSince: string | undefined;
}

/** A stored version that is there and not deleted. */
export interface LiveResource extends StoredResource {
  readonly content: Uint8Array;
}

export function live(stored: StoredResource | undefined): LiveResource {
  if (!stored) throw clientNotFound();
  const { content } = stored;
  if (content === null) throw clientDeleted();
  return { ...stored, content };
}

export async function readCurrent(deps: FhirDeps, id: string): Promise<LiveResource> {
  return live(await deps.registry.read(resourceId(id)));
}

export async function readVersion(deps: FhirDeps, id: string, version: string): Promise<LiveResource> {
  if (!/^[1-9][0-9]{0,8}$/.test(version)) throw clientNotFound();
  return live(await deps.registry.readVersion(resourceId(id), Number(version)));
}

export function readEvent(actor: AuditInput['actor'], event: 'client.read' | 'client.vread', id: string): AuditInput {
  const interaction = event === 'client.read' ? 'read' : 'vread';
  return { actor, event, action: 'R', outcome: 'success', interaction, patients: [`Patient/${id}`] };
}

export async function answerRead(
  deps: FhirDeps,
  exchange: Exchange,
  what: { readonly id: string; readonly version?: string; readonly conditions?: ReadConditions },
): Promise<RouteReply<never>> {
  const { id, version, conditions } = what;
  const stored = version === undefined ? await readCurrent(deps, id) : await readVersion(deps, id, version);
  const event = version === undefined ? 'client.read' : 'client.vread';
  const audited = await deps.audit.recordNow([readEvent(exchange.actor, event, id)]);
  const headers = versionHeaders(stored);
  if (conditions && isNotModified(conditions, stored.version, stored.lastUpdatedMs)) {
    return { status: 304, headers, audited };
  }
  return storedReply(stored.content, exchange, { headers, audited });
}

/** All versions of one record, newest first, by pages. */
export async function answerHistory(deps: FhirDeps, exchange: Exchange, text: string): Promise<RouteReply<never>> {
  const id = resourceId(text);
  const page = historyPageOf(exchange.query);
  const purpose = `history ${id} ${principalKey(exchange.actor.principal)}`;
  const before = page.cursor === undefined ? undefined : Number(openPage(deps, purpose, page.cursor)[0]);
  const versions = await deps.registry.history(id, {
    limit: page.count + 1,
    ...(before === undefined ? {} : { beforeVersion: before }),
  });
  const newest = versions[0];
  if (!newest && before === undefined) throw clientNotFound();
  const wanted = versions.filter(({ lastUpdatedMs }) => lastUpdatedMs >= page.sinceMs);
  const shown = wanted.slice(0, page.count);
  const last = shown.at(-1);
  const more = wanted.length > shown.length && last !== undefined;
  const self = `${exchange.base}/Patient/${id}/_history`;
  const next = more ? `${self}?_cursor=${sealPage(deps, purpose, [last.version])}&${page.rest}` : undefined;
  const audited = await deps.audit.recordNow([
    {
      actor: exchange.actor,
      event: 'client.history',
      action: 'R',
      outcome: 'success',
      interaction: 'history-instance',
      patients: [`Patient/${id}`],
    },
  ]);
  return bundleReply(
    {
      type: 'history',
      // Versions are numbered without gaps, so the newest tells how many there are.
      ...(before === undefined && page.sinceMs === -Infinity && newest ? { total: newest.version } : {}),
      links: [
        { relation: 'self', url: page.raw === '' ? self : `${self}?${page.raw}` },
        ...(next === undefined ? [] : [{ relation: 'next', url: next }]),
      ],
      entries: shown.map((stored) => historyEntry(stored, id, exchange.base)),
    },
    exchange,
    { audited },
  );
}

function historyEntry(stored: StoredResource, id: ResourceId, base: string): AnswerEntry {
  const { content, version, lastUpdatedMs } = stored;
  const method = content === null ? 'DELETE' : version === 1 ? 'POST' : 'PUT';
  return {
    fullUrl: `${base}/Patient/${id}`,
    ...(content === null ? {} : { resource: { stored: content } }),
    request: { method, url: method === 'POST' ? 'Patient' : `Patient/${id}` },
    response: {
      status: content === null ? '204' : version === 1 ? '201' : '200',
      etag: etag(version),
      lastModified: instant(lastUpdatedMs),
    },
  };
}

/** Refuses parameters that a plain read does not have; `_format` and `_pretty` were read already. */
export function assertPlainQuery({ query, preferences }: Exchange): void {
  const known = ['_format', '_pretty', '_summary', '_elements'];
  const other = query.filter(([name]) => name !== '_format' && name !== '_pretty');
  // Parts of a record are a matter of searches; ignoring the wish would send more than was asked for.
  const part = other.find(([name, value]) => known.includes(name) && value !== 'false');
  if (!part && !(preferences.strict && other.length > 0)) return;
  throw new Problem('invalid', 'fhir-search', 'A read takes _format and _pretty. Ask for parts with Patient?_id=.', {
    fhirCode: 'not-supported',
  });
}
