import { mkdtempSync, rmSync } from 'node:fs';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OrganisationId, UserId } from '../../src/kernel/ids.ts';
import { type OpenDoors, openDoors } from '../../src/main/doors.ts';
import { composeServices, operator, type Services } from '../../src/main/services.ts';
import { readConfig } from '../../src/platform/config/config.ts';
import { silentLogger } from '../../src/platform/log/index.ts';
import { createMetrics } from '../../src/platform/metrics/index.ts';
import type { KeyMaterial } from '../../src/platform/tls/index.ts';
import { type TestDatabase, testDatabase } from './database.ts';
import { BASE_URL, enrol, type EnrolledPerson, type IdentityFixture, setUp } from './identity.ts';
import { person } from './registry.ts';
import { type Answer, OWN_PAGE, send } from './tls.ts';

/** Who asks: a role in an organisation. `centre administrator` has set the programme up. */
export type Who = `${'centre' | 'north' | 'south'} ${'administrator' | 'steward' | 'registrar'}`;

/** A programme with a centre and two providers, behind both real doors. */
export interface Programme {
  readonly db: TestDatabase;
  readonly services: Services;
  readonly organisations: Readonly<Record<'centre' | 'north' | 'south', OrganisationId>>;
  readonly users: ReadonlyMap<Who, { readonly id: UserId; readonly enrolled: EnrolledPerson }>;
  /** A request of this person's own pages. */
  ask(who: Who, method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Registers a person by FHIR; the answer has the source record's id and the golden record's. */
  register(
    who: Who,
    fields: Parameters<typeof person>[0],
  ): Promise<{ readonly source: string; readonly golden: string }>;
  send(what: Parameters<typeof send>[1]): Promise<Answer>;
  /** A request at the nodes' door, with a node's certificate and key. */
  sendAsNode(identity: KeyMaterial, what: Parameters<typeof send>[1]): Promise<Answer>;
  cookie(who: Who): string;
  close(): Promise<void>;
}

export async function programme(): Promise<Programme> {
  const home = mkdtempSync(join(tmpdir(), 'careseal-programme-'));
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const db = await testDatabase();
  const variables = { CARESEAL_USERS_PORT: '0', CARESEAL_NODES_PORT: '0', CARESEAL_HOSTNAMES: 'localhost' };
  const config = readConfig({ home, homeSource: 'default', workingDirectory: home, document: undefined, variables });
  const services = await composeServices({ config, connection: db.connection, log: silentLogger() });
  const doors: OpenDoors = await openDoors(services, silentLogger(), createMetrics());
  const ca = await services.nodes.authorities.rootsPem();
  const { identity } = services;
  const fixture = { identity, clock: { nowMs: Date.now, forward: () => undefined } } as unknown as IdentityFixture;
  const users = new Map<Who, { id: UserId; enrolled: EnrolledPerson }>();
  const first = await setUp(fixture);
  const firstId = (await identity.findUserByEmail(first.email))?.id;
  if (firstId === undefined) throw new Error('nobody was set up');
  users.set('centre administrator', { id: firstId, enrolled: first });
  const cookie = (who: Who): string => {
    const cookies = users.get(who)?.enrolled.browser.cookies ?? new Map<string, string>();
    return [...cookies].map(([name, value]) => `__Host-${name}=${value}`).join('; ');
  };
  const toUsers = (what: Parameters<typeof send>[1]) => send({ port: doors.usersPort, ca, agent }, what);
  const ask: Programme['ask'] = (who, method, path, body, headers = {}) =>
    toUsers({
      method,
      path,
      headers: {
        ...OWN_PAGE,
        cookie: cookie(who),
        ...(body === undefined
          ? {}
          : { 'content-type': path.startsWith('/fhir') ? 'application/fhir+json' : 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  const centre = await identity.organisationFor(operator());
  const made = async (name: string): Promise<OrganisationId> => {
    const answer = await ask('centre administrator', 'POST', '/api/organisations', { name });
    if (answer.status !== 201) throw new Error(answer.text);
    return answer.json<{ organisation: { id: OrganisationId } }>().organisation.id;
  };
  const organisations = { centre, north: await made('North clinic'), south: await made('South clinic') };
  for (const place of ['centre', 'north', 'south'] as const) {
    for (const role of ['administrator', 'steward', 'registrar'] as const) {
      const who: Who = `${place} ${role}`;
      if (users.has(who)) continue;
      const email = `${role}@${place}.example.org`;
      const wanted = { name: who, email, roles: [role], organisationId: organisations[place] };
      const added = await identity.users.add(operator(), wanted, BASE_URL);
      users.set(who, { id: added.user.id, enrolled: await enrol(fixture, added.link?.url ?? '') });
    }
  }
  return {
    ...{ db, services, organisations, users, ask, cookie, send: toUsers },
    sendAsNode: (identity, what) => send({ port: doors.nodesPort, ca, identity }, what),
    async register(who, fields) {
      const answer = await ask(who, 'POST', '/fhir/Patient', person(fields));
      if (answer.status !== 201) throw new Error(answer.text);
      const golden = String(answer.headers['locationcruid']).replace('Patient/', '');
      return { source: answer.json<{ id: string }>().id, golden };
    },
    async close() {
      agent.destroy();
      await doors.close(0);
      await services.stop();
      await db.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
