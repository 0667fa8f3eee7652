import { createSocket } from 'node:dgram';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeActor, readInput, testKeyRing, userActor } from '../../../test/support/audit.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { fixedTls, type TestAuthority, testAuthority, type TestLeaf, testLeaf } from '../../../test/support/tls.ts';
import { Problem } from '../../kernel/problem.ts';
import { statement } from '../../platform/db/index.ts';
import { frame, printSyslog } from '../../platform/syslog/index.ts';
import { nodesTls } from '../../platform/tls/index.ts';
import { type Audit, createAudit } from '../audit/index.ts';
import { openSyslogDoors } from './doors.ts';
import { createRepository, type Repository } from './receiver.ts';
import { retrieve, retrieveOne } from './retrieve.ts';
import { atnaFhirRoutes } from './fhir-routes.ts';
import { oneReceived } from './received-list.ts';
import { handled } from '../../../test/support/handled.ts';
import { fill } from '../../../test/support/audit-log.ts';
import { parseBody } from '../../fhir/index.ts';

let db: TestDatabase;
let audit: Audit;
let repository: Repository;
let authority: TestAuthority;
let server: TestLeaf;
let client: TestLeaf;
let revoked = false;
const nowMs = Date.parse('2026-02-01T12:00:00Z');

beforeAll(async () => {
  db = await testDatabase();
  const common = { database: db.database, keyRing: testKeyRing(), clock: { nowMs: () => nowMs } };
  const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
  audit = createAudit({ ...common, source, onFailure: () => undefined });
  repository = createRepository({ ...common, audit });
  authority = await testAuthority();
  server = await testLeaf(authority, { usage: 'server' });
  client = await testLeaf(authority, { usage: 'client' });
});
afterAll(async () => {
  await audit.stop();
  await db.close();
});

const message = (patient: string, at = '2026-01-31T09:30:00Z'): string =>
  `<?xml version="1.0" encoding="UTF-8"?><AuditMessage><EventIdentification EventActionCode="R" EventDateTime="${at}" EventOutcomeIndicator="0"><EventID csd-code="110110" codeSystemName="DCM" originalText="Patient Record"/></EventIdentification><ActiveParticipant UserID="lab" UserIsRequestor="true" NetworkAccessPointID="10.7.7.7" NetworkAccessPointTypeCode="2"/><AuditSourceIdentification AuditSourceID="lab-system"/><ParticipantObjectIdentification ParticipantObjectID="${patient}" ParticipantObjectTypeCode="1" ParticipantObjectTypeCodeRole="1"><ParticipantObjectIDTypeCode csd-code="2" codeSystemName="RFC-3881" originalText="Patient Number"/></ParticipantObjectIdentification></AuditMessage>`;
const syslog = (body: string): Buffer =>
  printSyslog(
    { priority: 85, timestampMs: nowMs, hostName: 'lab', appName: 'lab', processId: '1', messageId: 'IHE+RFC-3881' },
    body,
  );

interface Row {
  readonly id: string;
  readonly transport: string;
  readonly node_id: string | null;
  readonly understood: boolean;
}
const ROWS = statement<Row>(
  'test.received',
  'SELECT id, transport, node_id, understood FROM atna.received ORDER BY id',
);
const rows = (): Promise<Row[]> => db.database.rows(ROWS);

async function withDoors(work: (ports: readonly number[]) => Promise<void>): Promise<void> {
  const doors = await openSyslogDoors({
    host: '127.0.0.1',
    tlsPort: 0,
    udpPort: 0,
    tls: fixedTls(nodesTls([server], [authority.issuing.certificate.pem, authority.ca])),
    authenticateNode: (peer) => {
      if (peer === undefined || revoked)
        return Promise.reject(new Problem('unauthenticated', 'certificate-missing', 'No certificate.'));
      return Promise.resolve(nodeActor.principal);
    },
    repository,
    audit,
    onFailure: (error) => {
      throw error;
    },
  });
  try {
    await work(doors.ports);
  } finally {
    await doors.close();
  }
}

/** Sends bytes over TLS; answers when the other side has closed, and how. */
function sendTls(port: number, bytes: readonly Uint8Array[], identity: TestLeaf | null = client): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      servername: 'localhost',
      ca: authority.ca,
      ...(identity === null ? {} : { cert: identity.certificate, key: identity.key }),
    });
    socket.on('secureConnect', () => {
      for (const chunk of bytes) socket.write(chunk);
      socket.end();
    });
    socket.on('error', () => resolve('broken'));
    socket.on('close', (failed) => resolve(failed ? 'broken' : 'closed'));
    socket.resume();
  });
}

describe('over TLS', () => {
  test('a node’s events are kept under the node that proved itself, whatever they say', async () => {
    await withDoors(async ([tls = 0]) => {
      const before = (await rows()).length;
      const stream = Buffer.concat([frame(syslog(message('p-1'))), frame(syslog(message('pätient-é')))]);
      // Cut in the middle of a two-byte character.
      expect(await sendTls(tls, [stream.subarray(0, 700), stream.subarray(700, 701), stream.subarray(701)])).toBe(
        'closed',
      );
      const kept = (await rows()).slice(before);
      expect(kept).toHaveLength(2);
      const node = nodeActor.principal.kind === 'node' ? nodeActor.principal.nodeId : '';
      expect(new Set(kept.map((row) => row.node_id))).toEqual(new Set([node]));
      expect(kept.every((row) => row.understood)).toBe(true);
      await audit.sequence();
      const { events } = await audit.search({ events: ['audit.receive'], limit: 1 });
      expect(events[0]?.detail?.['sha256']).toMatch(/^[0-9a-f]{64}$/);
    });
  });

  test('a message of a megabyte is kept; one byte more, or what is no frame, ends the connection and is recorded', async () => {
    await withDoors(async ([tls = 0]) => {
      const before = (await rows()).length;
      const shell = syslog('').length;
      expect(await sendTls(tls, [frame(syslog('x'.repeat(1_048_576 - shell)))])).toBe('closed');
      expect((await rows()).slice(before)).toMatchObject([{ understood: false }]);
      await sendTls(tls, [frame(syslog('x'.repeat(1_048_577 - shell)))]);
      await sendTls(tls, [Buffer.from('GET / HTTP/1.1\r\n\r\n')]);
      expect((await rows()).length).toBe(before + 1);
    });
    // Nobody waits for the record of a refusal but the doors when they close.
    await audit.sequence();
    const { events } = await audit.search({ events: ['audit.sender-refused'], limit: 5 });
    expect(events.map(({ reason }) => reason ?? '').toSorted((a, b) => a.localeCompare(b))).toEqual([
      'no-length',
      'too-long',
    ]);
  });

  test('nobody without a certificate is listened to, nor a node revoked while it is connected', async () => {
    await withDoors(async ([tls = 0]) => {
      const before = (await rows()).length;
      await sendTls(tls, [frame(syslog(message('p-2')))], null);
      revoked = true;
      await sendTls(tls, [frame(syslog(message('p-3')))]);
      revoked = false;
      expect((await rows()).length).toBe(before);
    });
  });

  test('hostile XML is kept as it came and understood as nothing', async () => {
    await withDoors(async ([tls = 0]) => {
      const before = (await rows()).length;
      const bomb = `<!DOCTYPE x [<!ENTITY a "${'a'.repeat(1000)}"><!ENTITY b "&a;&a;&a;&a;">]><AuditMessage>&b;</AuditMessage>`;
      await sendTls(tls, [
        frame(syslog(bomb)),
        frame(syslog('<a>'.repeat(200_000))),
        frame(Buffer.from([0xff, 0xfe, 0x00])),
      ]);
      expect((await rows()).slice(before).map(({ understood }) => understood)).toEqual([false, false, false]);
    });
  });
});

describe('over UDP', () => {
  test('events are kept as nobody’s proven word', async () => {
    await withDoors(async ([, udp = 0]) => {
      const before = (await rows()).length;
      const socket = createSocket('udp4');
      const send = (bytes: Uint8Array): Promise<void> =>
        new Promise((resolve) => socket.send(bytes, udp, '127.0.0.1', () => resolve()));
      await send(syslog(message('forged')));
      await send(syslog(message('cut')).subarray(0, 300));
      await send(Buffer.alloc(0));
      await expect.poll(async () => (await rows()).length).toBe(before + 3);
      const kept = (await rows()).slice(before);
      expect(kept.map(({ node_id, understood }) => [node_id, understood])).toEqual([
        [null, true],
        [null, false],
        [null, false],
      ]);
      socket.close();
    });
  });

  test('a datagram as long as datagrams get is kept with the mark that its end is gone; one byte less is whole', async () => {
    await withDoors(async ([, udp = 0]) => {
      const before = (await rows()).length;
      const socket = createSocket('udp4');
      const send = (bytes: Uint8Array): Promise<void> =>
        new Promise((resolve, reject) => {
          socket.send(bytes, udp, '127.0.0.1', (error) => (error === null ? resolve() : reject(error)));
        });
      const long = syslog(message('p'.repeat(70_000)));
      await send(long.subarray(0, 65_507));
      await expect.poll(async () => (await rows()).length).toBe(before + 1);
      await send(long.subarray(0, 65_506));
      await expect.poll(async () => (await rows()).length).toBe(before + 2);
      const kept = (await rows()).slice(before);
      const shown = await Promise.all(kept.map(({ id }) => oneReceived({ database: db.database, repository }, id)));
      expect(shown.map(({ message: came }) => [came?.bytes, came?.truncated])).toEqual([
        [65_507, true],
        [65_506, false],
      ]);
      expect(shown.map(({ event }) => event.understood)).toEqual([false, false]);
      socket.close();
    });
  });
});

describe('retrieval (ITI-81)', () => {
  const CLIENT = '0198f3a0-0000-7000-8000-00000000cafe';
  const deps = () => ({
    database: db.database,
    audit,
    repository,
    recordsOf: (system: string, value: string) =>
      Promise.resolve(system === 'urn:clinic' && value === '7' ? [CLIENT] : []),
  });
  interface Bundle {
    readonly link: { readonly relation: string; readonly url: string }[];
    readonly entry: {
      readonly resource: {
        readonly id: string;
        readonly recorded: string;
        readonly meta?: { tag: { code: string }[] };
      };
    }[];
  }
  const ask = async (query: string): Promise<Bundle> =>
    (await retrieve(deps(), query, 'https://careseal.example.org:8444/fhir/AuditEvent')).bundle as Bundle;
  const ALL = 'date=ge2020-01-01';
  let recorded = '';
  beforeAll(async () => {
    await audit.recordNow([
      readInput(CLIENT, nodeActor),
      { ...readInput(CLIENT, userActor), outcome: 'minor-failure' },
    ]);
    await audit.sequence();
    const { events } = await audit.search({ clients: [CLIENT], limit: 5 });
    recorded = events[0]?.recorded ?? '';
  });

  test.each([
    [`${ALL}&patient.identifier=${CLIENT}`, 2],
    [`${ALL}&patient.identifier=urn:clinic%7C7`, 2],
    [`${ALL}&patient.identifier=urn:clinic%7C8`, 0],
    [`${ALL}&patient.identifier=p-1`, 1],
    [`${ALL}&patient.identifier=p-1,forged`, 2],
    [`${ALL}&patient.identifier=${CLIENT}&outcome=4`, 1],
    [`${ALL}&patient.identifier=${CLIENT}&outcome=http://terminology.hl7.org/CodeSystem/audit-event-outcome%7C0`, 1],
    [`${ALL}&patient.identifier=${CLIENT}&address=2001:db8::7`, 1],
    [`${ALL}&address=10.7.7.7&patient.identifier=p-1`, 1],
    [`${ALL}&patient.identifier=${CLIENT}&type=rest`, 2],
    [`${ALL}&patient.identifier=${CLIENT}&subtype=client.read`, 2],
    [`${ALL}&patient.identifier=${CLIENT}&subtype=http://hl7.org/fhir/restful-interaction%7Cread`, 2],
    [
      `${ALL}&type=http://dicom.nema.org/resources/ontology/DCM%7C110110&source.identifier=lab-system&entity.identifier=p-1`,
      1,
    ],
    [`${ALL}&patient.identifier=${CLIENT}&entity-type=1&entity-role=1`, 2],
    [`${ALL}&agent.identifier=lab&patient.identifier=p-1`, 1],
    [`date=2026-01-31&patient.identifier=p-1`, 1],
    [`date=lt2026-01-31&patient.identifier=p-1`, 0],
    [`date=gt2026-01-31T09:30:00Z&patient.identifier=p-1`, 0],
    [`date=ge0001-01-01&patient.identifier=p-1&_page=-~9999999999999999.ffffffff-ffff-ffff-ffff-ffffffffffff`, 1],
  ])('%s finds %i', async (query, count) => {
    expect((await ask(query)).entry).toHaveLength(count);
  });

  test('XML is answered to whoever asks for it, of a search and of one event', async () => {
    const routes = atnaFhirRoutes({ ...deps(), takes: true });
    const id = (await ask(`${ALL}&patient.identifier=forged`)).entry[0]?.resource.id ?? '';
    for (const [path, query] of [
      ['/fhir/AuditEvent', `${ALL}&_format=xml&patient.identifier=forged`],
      ['/fhir/AuditEvent/:id', '_format=application/fhir%2Bxml'],
    ]) {
      const route = routes.find((one) => one.path === path && one.method === 'GET');
      if (route === undefined) throw new Error(`no ${path}`);
      const reply = await handled(route, {
        ...{ actor: nodeActor, url: `${path}?${query}`, baseUrl: 'https://x', query, params: { id } },
        header: () => undefined,
      });
      expect(reply.contentType).toBe('application/fhir+xml; charset=utf-8');
      const text = Buffer.from(reply.body as Uint8Array).toString();
      expect(text).toMatch(
        /^<\?xml version="1.0" encoding="UTF-8"\?><(Bundle|AuditEvent) xmlns="http:\/\/hl7.org\/fhir">/,
      );
      expect(text).toContain(`<id value="${id}"/>`);
      expect(parseBody(Buffer.from(text), 'xml')).toMatchObject({
        resourceType: path === '/fhir/AuditEvent' ? 'Bundle' : 'AuditEvent',
      });
    }
  });

  test('what is received says over which way it came, and who proved to have sent it', async () => {
    const forged = (await ask(`${ALL}&patient.identifier=forged`)).entry[0]?.resource;
    expect(forged?.meta?.tag.map(({ code }) => code)).toEqual(['udp', 'unproven']);
  });

  test('pages hold everything once, newest first', async () => {
    const seen: string[] = [];
    const times: string[] = [];
    let query: string | undefined = `${ALL}&_count=3`;
    for (let page = 0; query !== undefined && page < 40; page++) {
      const { entry, link } = await ask(query);
      seen.push(...entry.map(({ resource }) => resource.id));
      times.push(...entry.map(({ resource }) => resource.recorded));
      query = link.find(({ relation }) => relation === 'next')?.url.split('?')[1];
    }
    expect(query).toBeUndefined();
    expect(new Set(seen).size).toBe(seen.length);
    const all = (await ask(`${ALL}&_count=200`)).entry.map(({ resource }) => resource.id);
    expect(seen.toSorted()).toEqual(all.toSorted());
    expect(times).toEqual(times.toSorted().toReversed());
    expect(recorded).not.toBe('');
  });

  test('an id finds its event however far back it lies, ours and others’, alone and in a search', async () => {
    const own = (await ask(`${ALL}&patient.identifier=${CLIENT}`)).entry[0]?.resource.id ?? '';
    const received = (await ask(`${ALL}&patient.identifier=forged`)).entry[0]?.resource.id ?? '';
    await fill(audit, 6_000);
    for (const id of [own, received]) {
      expect(await retrieveOne(deps(), id)).toMatchObject({ resourceType: 'AuditEvent', id });
      expect((await ask(`_id=${id}`)).entry.map(({ resource }) => resource.id)).toEqual([id]);
    }
    expect((await ask(`_id=${own},${received}`)).entry).toHaveLength(2);
    expect((await ask(`_id=${own}&outcome=8`)).entry).toEqual([]);
    expect(await retrieveOne(deps(), 'ffffffff-ffff-7fff-8fff-ffffffffffff')).toBeUndefined();
    expect(await retrieveOne(deps(), 'nonsense')).toBeUndefined();
  });

  test.each(['', 'outcome=0', 'date=yesterday', `${ALL}&_count=0`, `${ALL}&nonsense=1`, `${ALL}&_include=*`])(
    '“%s” is refused',
    async (query) => {
      await expect(ask(query)).rejects.toMatchObject({ kind: 'invalid' });
    },
  );
});

test('what is kept cannot be changed by the application, and is sealed', async () => {
  await expect(
    db.database.run(statement('test.change', `UPDATE atna.received SET understood = false`)),
  ).rejects.toThrow();
  await expect(db.ownerDatabase.run(statement('test.delete', 'DELETE FROM atna.received'))).rejects.toThrow();
  const [row] = await db.database.rows(
    statement<{ all: string }>(
      'test.bytes',
      `SELECT string_agg(encode(sealed, 'escape'), '') AS all FROM atna.received`,
    ),
  );
  expect(/AuditMessage|lab-system/.test(row?.all ?? 'AuditMessage')).toBe(false);
});
