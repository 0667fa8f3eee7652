import { sha256Hex } from '../../src/crypto/index.ts';
import { createAudit } from '../../src/features/audit/index.ts';
import { createLoad, type Load, type LocalFile } from '../../src/features/load/index.ts';
import type { MapDocument } from '../../src/features/load/wire.ts';
import { createJobs, type Jobs } from '../../src/platform/jobs/index.ts';
import { ALL_PERMISSIONS } from '../../src/features/identity/index.ts';
import type { Submitting } from '../../src/features/load/runner.ts';
import type { Actor } from '../../src/kernel/principal.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { operatorActor } from './audit.ts';
import { type RegistryFixture, registryFixture } from './registry.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {}, with: () => quiet };

export interface LoadFixture extends RegistryFixture {
  readonly load: Load;
  readonly jobs: Jobs;
  /** Another process on the same database: its own load feature and its own jobs. */
  another(registry?: Submitting, memoryBytes?: number): { readonly load: Load; readonly jobs: Jobs };
  count(sql: string): Promise<number>;
}

/** Everything a load needs, real: registry, keys, audit, jobs. */
export async function loadFixture(): Promise<LoadFixture> {
  const f = await registryFixture();
  const { database } = f.db;
  const audit = createAudit({
    database,
    keyRing: f.keyRing,
    clock: systemClock,
    source: { site: 'load.test', baseUrl: 'https://load.test:8443' },
    onFailure: () => {},
  });
  const another = (registry: Submitting = f.registry, memoryBytes = 0) => {
    const jobs = createJobs({ database, log: quiet, runner: 'test', pollMs: 50 });
    const deps = { database, keyRing: f.keyRing, audit, registry, domains: f.nodes.domains, jobs, clock: systemClock };
    return { load: createLoad({ ...deps, memoryBytes }), jobs };
  };
  return {
    ...f,
    ...another(),
    another,
    async count(sql) {
      const [row] = await f.db.ownerDatabase.rows<{ n: bigint }>({
        name: `load-test.${sha256Hex(Buffer.from(sql)).slice(0, 16)}`,
        text: sql,
      });
      return Number(row?.n ?? -1n);
    },
  };
}

export const OPERATOR: Actor = {
  ...operatorActor,
  principal: { kind: 'operator', osUser: 'root', permissions: ALL_PERMISSIONS },
};

/** A file in memory, in pieces of a size that cuts characters and rows. */
export function memoryFile(
  content: string | Uint8Array,
  options: { fileName?: string; pieceBytes?: number } = {},
): LocalFile {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const size = options.pieceBytes ?? 65_536;
  return {
    fileName: options.fileName ?? 'people.csv',
    sizeBytes: bytes.length,
    async *open() {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    },
  };
}

export const UGANDA_MAP: MapDocument = {
  id: 'rec_id',
  given: 'given_name',
  family: 'surname',
  gender: 'sex',
  birthDate: { column: 'date_of_birth', format: 'YYYYMMDD' },
  phone: 'phone_number',
  identifier: [
    { system: 'urn:ug:nin', column: 'uganda_nin' },
    { system: 'urn:ug:art', column: 'art_number' },
  ],
};
