import { z } from 'zod';
import type { PersonName } from '../features/alerts/index.ts';
import type { Person } from '../features/atna/index.ts';
import type { Registry } from '../features/registry/index.ts';
import { ALL_PERMISSIONS } from '../features/identity/index.ts';
import { utf8Decode } from '../kernel/bytes.ts';
import type { Permission } from '../kernel/access.ts';
import { parseId, type ResourceId } from '../kernel/ids.ts';
import type { Actor } from '../kernel/principal.ts';
import { reachOf } from '../kernel/reach.ts';

const RECORDS_MAX = 200;
/** What the log looks up is not shown: only ids come out, and only to somebody who may see the log. */
const LOG: Parameters<Registry['as']>[0] = { kind: 'system', permissions: ALL_PERMISSIONS };

const Links = z.looseObject({
  link: z
    .array(z.looseObject({ other: z.looseObject({ reference: z.string().optional() }), type: z.string() }))
    .optional(),
});

const Names = z.looseObject({
  name: z.array(z.looseObject({ family: z.string().optional(), given: z.array(z.string()).optional() })).optional(),
});

/** A client's names, for the rule about one's own name; undefined where there is no such client. */
export function clientNames(registry: Registry): (clientId: string) => Promise<PersonName | undefined> {
  return async (clientId) => {
    const id = parseId<ResourceId>(clientId);
    const content = id === undefined ? undefined : (await registry.as(LOG).read(id))?.content;
    const parsed = Names.safeParse(
      content === undefined || content === null ? undefined : JSON.parse(utf8Decode(content)),
    );
    if (!parsed.success) return undefined;
    const names = parsed.data.name ?? [];
    return {
      family: names.flatMap(({ family }) => family ?? []),
      given: names.flatMap(({ given }) => given ?? []),
    };
  };
}

/** Whether a client, or a source record, is there for somebody. */
export function seesClient(registry: Registry): (actor: Actor, clientId: string) => Promise<boolean> {
  return async ({ principal }, clientId) => {
    const id = parseId<ResourceId>(clientId);
    return id !== undefined && (await registry.as(principal).read(id)) !== undefined;
  };
}

/** Whether the client, or source record, is there for the organisations whose log somebody reads. */
export function auditsClient(registry: Registry): (actor: Actor, clientId: string) => Promise<boolean> {
  return async ({ principal }, clientId) => {
    if (principal.kind !== 'user') return false;
    const reach = reachOf(principal, 'audit.read');
    const permissions = new Set<Permission>(['client.read']);
    const id = parseId<ResourceId>(clientId);
    const asked = { ...principal, permissions, reach: new Map([['client.read', reach] as const]) };
    return id !== undefined && (await registry.as(asked).read(id)) !== undefined;
  };
}

/** A client and the records it is made of or replaced: acts on any of them concern the person. */
export function clientRecords(registry: Registry): (clientId: string) => Promise<readonly string[]> {
  return async (clientId) => {
    const id = parseId<ResourceId>(clientId);
    const stored = id === undefined ? undefined : await registry.as(LOG).read(id);
    const content = stored?.content ?? undefined;
    const links = Links.safeParse(content === undefined ? undefined : JSON.parse(utf8Decode(content)));
    const others = (links.success ? (links.data.link ?? []) : [])
      .filter(({ type }) => type === 'seealso' || type === 'replaces')
      .flatMap(({ other }) => /^Patient\/([0-9a-f-]{36})$/.exec(other.reference ?? '')?.[1] ?? []);
    return [clientId, ...others].slice(0, RECORDS_MAX);
  };
}

const Identified = z.looseObject({
  identifier: z.array(z.looseObject({ system: z.string().optional(), value: z.string().optional() })).optional(),
});

/** How other systems may name a client: its records' ids, and the identifiers in them. Undefined where there is no such client. */
export function clientPerson(registry: Registry): (clientId: string) => Promise<Person | undefined> {
  const recordsOf = clientRecords(registry);
  return async (clientId) => {
    const known = parseId<ResourceId>(clientId);
    if (known === undefined || (await registry.as(LOG).read(known)) === undefined) return undefined;
    const ids = await recordsOf(clientId);
    const identifiers = new Map<string, Person['identifiers'][number]>();
    for (const one of ids) {
      const id = parseId<ResourceId>(one);
      const content = id === undefined ? undefined : (await registry.as(LOG).read(id))?.content;
      const parsed = Identified.safeParse(
        content === undefined || content === null ? undefined : JSON.parse(utf8Decode(content)),
      );
      for (const { system, value } of parsed.success ? (parsed.data.identifier ?? []) : []) {
        if (value !== undefined) identifiers.set(`${system ?? ''}|${value}`, { system: system ?? '', value });
      }
    }
    return { ids, identifiers: [...identifiers.values()] };
  };
}

/** Records that an identifier names: the source record and the golden record it belongs to. */
export function recordsNamed(registry: Registry): (system: string, value: string) => Promise<readonly string[]> {
  return async (system, value) => {
    const seen = registry.as(LOG);
    const source = await seen.findByKey(system, value);
    if (source === undefined) return [];
    const golden = (await seen.goldenOf([source])).get(source);
    return golden === undefined ? [source] : [source, golden];
  };
}
