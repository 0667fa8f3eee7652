/**
 * Careseal's own services and nodes' door in a process of their own, on a database that the bench made. Two switches exist here
 * and nowhere else: without the seal (content and tokens as they are) and without the audit log.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, sealedAtRest } from '../../src/crypto/index.ts';
import { type Audit, createAudit } from '../../src/features/audit/index.ts';
import { ALL_PERMISSIONS, decideAccess } from '../../src/features/identity/index.ts';
import { compileModel, DEFAULT_MODEL } from '../../src/features/matching/index.ts';
import { createNodes } from '../../src/features/nodes/index.ts';
import { createOutbound } from '../../src/platform/outbound/index.ts';
import { createMatcher, createRegistry, fhirRoutes } from '../../src/features/registry/index.ts';
import { searchTerms } from '../../src/fhir/index.ts';
import type { OrganisationId, ResourceId } from '../../src/kernel/ids.ts';
import type { Actor } from '../../src/kernel/principal.ts';
import { startSequencerThread } from '../../src/main/sequencer.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { type Connection, createDatabase, statement } from '../../src/platform/db/index.ts';
import { issueAuditReceipt } from '../../src/platform/http/audited.ts';
import { createDoor } from '../../src/platform/http/index.ts';
import { openDoorTls } from '../../src/platform/tls/index.ts';
import { createResourceStore, type KeyRing, openKeyVault, rootKeyFile } from '../../src/store/index.ts';
import { DOMAIN, patientOf, population } from './population.ts';

export interface CarsealBenchOptions {
  readonly connection: Connection;
  readonly people: number;
  readonly sealed: boolean;
  readonly audited: boolean;
  /** A directory that is kept: its registry is used as it stands, and `people` are added to it. */
  readonly kept?: string;
}

export type ToBench =
  | {
      readonly kind: 'ready';
      readonly port: number;
      readonly ca: string;
      readonly cert: string;
      readonly key: string;
      readonly serverPem: string;
      readonly ids: readonly string[];
      readonly loadPerSecond: number;
    }
  | { readonly kind: 'memory'; readonly rssBytes: number };

/** The same in every run: a registry that is kept goes on belonging to it. */
const organisationId = '0198f3a0-0000-7000-8000-00000000000a' as OrganisationId;
const silent = { info() {}, warn() {}, error() {}, debug() {} };
const operator: Actor = {
  principal: { kind: 'operator', osUser: 'bench', permissions: ALL_PERMISSIONS },
  origin: { door: 'command-line', requestId: newId() },
};

const DOMAIN_OWNER = statement<{ organisation_id: OrganisationId }>(
  'bench.domain-owner',
  'SELECT organisation_id FROM nodes.domain WHERE system = $1',
);

/** What a store without a seal would do: keep the bytes, and cut tokens from a fast hash that hides nothing. */
function plainKeyRing(): KeyRing {
  const blind = (parameter: string, value: string): bigint => {
    let a = 0x811c9dc5;
    let b = 0x01000193;
    const text = parameter + value;
    for (let i = 0; i < text.length; i++) {
      a = Math.imul(a ^ text.charCodeAt(i), 0x01000193);
      b = Math.imul(b + text.charCodeAt(i), 0x85ebca6b);
    }
    return (BigInt(a | 0) << 32n) | BigInt(b >>> 0);
  };
  return {
    seal: (plaintext) => sealedAtRest(plaintext),
    open: (sealed) => sealed,
    blind,
    blindAll: (parameter, value) => [blind(parameter, value)],
  };
}

function noAudit(): Pick<Audit, 'record' | 'recordNow'> {
  return { record: async () => issueAuditReceipt(), recordNow: async () => issueAuditReceipt() };
}

/** The services under test; `audit` is the real one or none, `keyRing` seals or does not. */
async function compose(options: CarsealBenchOptions, home: string) {
  const database = createDatabase({ connection: options.connection, poolSize: 12, statementTimeoutMs: 60_000 });
  const vault = await openKeyVault({ database, rootKey: rootKeyFile(join(home, 'root.key')) });
  const keyRing = options.sealed ? vault.keyRing : plainKeyRing();
  const clock = systemClock;
  const onFailure = (code: string) => console.error(code);
  const source = { site: 'bench', baseUrl: 'https://localhost' };
  const log = createAudit({ database, keyRing: vault.keyRing, clock, source, onFailure });
  const sequencer = options.audited
    ? startSequencerThread({
        root: { home, rootKeyFile: join(home, 'root.key'), passphraseFile: undefined },
        connection: options.connection,
        source,
        onFailure,
      })
    : undefined;
  const audit = options.audited ? log : noAudit();
  // A home that `first-load` filled has an organisation, to which the domain of its records belongs.
  const [ours] = await database.rows(DOMAIN_OWNER, [DOMAIN]);
  const nodes = createNodes({
    database,
    keyRing: vault.keyRing,
    audit: log,
    clock,
    organisationFor: async () => ours?.organisation_id ?? organisationId,
    fhirUrl: 'https://careseal.example.org:8444/fhir',
    publicUrl: 'https://localhost:8443',
    outbound: createOutbound({ allowedNetworks: [] }),
    onEnding: () => undefined,
    onBackgroundFailure: (error) => console.error(error),
  });
  await nodes.start();
  const matcher = createMatcher(compileModel(DEFAULT_MODEL));
  const resources = createResourceStore({ keyRing });
  const { domains } = nodes;
  const deps = { database, keyRing, resources, audit, matcher, domains, clock, termsOf: searchTerms };
  const registry = createRegistry(deps);
  const stop = async () => {
    await sequencer?.stop();
    await nodes.stop();
    await vault.close();
    await database.close();
  };
  return { database, vault, audit, nodes, registry, clock, stop };
}

async function serve(options: CarsealBenchOptions): Promise<void> {
  const home = options.kept ?? (await mkdtemp(join(tmpdir(), 'careseal-bench-')));
  const { database, vault, audit, nodes, registry, clock, stop } = await compose(options, home);
  const loadPerSecond = options.people === 0 ? 0 : await populate(registry, nodes, options.people);
  const files = await nodeFiles(nodes, home);
  const tls = await openDoorTls({
    directory: home,
    names: ['localhost'],
    sign: nodes.authorities.signServerCertificate,
    clientAuthorities: nodes.authorities.trusted,
    log: silent,
    clock,
  });
  const { domains } = nodes;
  const door = createDoor({
    name: 'nodes',
    routes: fhirRoutes({ registry, audit, keyRing: vault.keyRing, domains, clock, softwareVersion: 'bench' }),
    hostNames: ['localhost'],
    tls: tls.nodes,
    authenticate: ({ peer }) => nodes.authenticateNode(peer),
    decideAccess,
    recordRefusal: async () => {},
    clock,
    newRequestId: newId,
    log: silent,
  });
  const { port } = await door.listen({ host: '127.0.0.1', port: 0 });
  const ids = (await database.rows(GOLDEN_IDS)).map((row) => row.golden_id);
  const pem = { ca: files['ca.crt'], cert: files['node.crt'], key: files['node.key'] ?? '' };
  tell({ kind: 'ready', port, ...pem, serverPem: join(home, 'server.pem'), ids, loadPerSecond });
  process.on('message', () => tell({ kind: 'memory', rssBytes: process.memoryUsage().rss }));
  process.once('disconnect', () => {
    void door.close(0).then(async () => {
      tls.stop();
      await stop();
      if (options.kept === undefined) await rm(home, { recursive: true, force: true });
    });
  });
}

type NodeFiles = Awaited<ReturnType<ReturnType<typeof createNodes>['addNode']>>['files'];

/** The certificate of the requests' sender, made once for a home. */
async function nodeFiles(nodes: ReturnType<typeof createNodes>, home: string): Promise<NodeFiles> {
  const kept = join(home, 'node.json');
  // What this function wrote.
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, 'utf8')) as NodeFiles;
  const { files } = await nodes.addNode(operator, { name: 'bench', domain: DOMAIN });
  writeFileSync(kept, JSON.stringify(files), { mode: 0o600 });
  return files;
}

const GOLDEN_IDS = statement<{ golden_id: ResourceId }>(
  'bench.golden-ids',
  'SELECT golden_id FROM registry.golden WHERE replaced_by IS NULL AND NOT deleted ORDER BY random() LIMIT 20000',
);

/** Fills the registry the way a load does: groups of a few hundred, two under way. Returns records per second. */
async function populate(
  registry: ReturnType<typeof createRegistry>,
  nodes: ReturnType<typeof createNodes>,
  count: number,
): Promise<number> {
  const domain = await nodes.domains.ensureForUsers(DOMAIN, operator);
  const source = population(1);
  let left = count;
  const started = performance.now();
  const tell50k = teller(count);
  const lane = async () => {
    while (left > 0) {
      const group: Parameters<typeof registry.submit>[1][number][] = [];
      while (group.length < 250 && left > 0) {
        const { value: record } = source.next();
        left -= 1;
        // The generator makes valid Patients; the door's own path is measured afterwards.
        group.push({ kind: 'upsert', domain, key: record.id, patient: patientOf(record) });
      }
      await registry.submit(operator, group);
      tell50k(group.length);
    }
  };
  await Promise.all([lane(), lane()]);
  return count / ((performance.now() - started) / 1000);
}

const TOLD_EVERY = 50_000;

/** Of large fillings: what the last records cost this process, and how fast they came. */
function teller(count: number): (records: number) => void {
  let [done, cpu, from] = [0, process.cpuUsage(), performance.now()];
  return (records) => {
    const before = Math.floor(done / TOLD_EVERY);
    done += records;
    if (count < 2 * TOLD_EVERY || Math.floor(done / TOLD_EVERY) === before) return;
    const { user, system } = process.cpuUsage(cpu);
    const perSecond = (TOLD_EVERY * 1000) / (performance.now() - from);
    console.log(
      `${done} records: ${Math.round(perSecond)}/s, ${Math.round((user + system) / TOLD_EVERY)} µs of the server each`,
    );
    [cpu, from] = [process.cpuUsage(), performance.now()];
  };
}

function tell(message: ToBench): void {
  process.send?.(message);
}

// The options come from the bench that forked this file.
await serve(JSON.parse(process.argv[2] ?? '{}') as CarsealBenchOptions);
