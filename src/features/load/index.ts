import type { Actor } from '../../kernel/principal.ts';
import type { RouteDeclaration } from '../../platform/http/index.ts';
import type { ResealParticipant } from '../../store/index.ts';
import type { LoadDeps } from './deps.ts';
import { type DirectLoad, loadDirectly } from './direct.ts';
import { createLoads, JOB_KIND } from './loads.ts';
import { createMappings } from './mappings.ts';
import { noticesCsv } from './notices-file.ts';
import { resealParticipants } from './reseal.ts';
import { loadRoutes } from './routes.ts';
import { figures } from './store.ts';
import { createUploads, type Uploads } from './uploads.ts';
import type { LoadSummary } from './wire.ts';

/** CSV as it is really written, for other files that people bring. */
export { createCsvReader, type CsvRow } from './csv-reader.ts';
export type { LoadDeps } from './deps.ts';
export type { DirectLoad, LocalFile } from './direct.ts';
/** Reads a file of records as a load would, and loads nothing. */
export { readLocalFile } from './read-file.ts';

/** Loading files of records: by the page through an upload and a job, by the command line directly. See README.md. */
export interface Load {
  /** Loads a file that this process can read. Throws Problem; what was committed before stays, and loading again goes on. */
  loadFile(actor: Actor, load: DirectLoad): Promise<LoadSummary>;
  /** The file of rejected rows of a load, as CSV text piece by piece. */
  rejectedRows(actor: Actor, loadId: string): AsyncGenerator<string>;
  /** Loads of the last seven days, by how they stand; for the home page. */
  figures(): Promise<LoadFigures>;
  /** Files that were uploaded and are not loaded: for judging a model by one. */
  readonly uploads: Pick<Uploads, 'own' | 'held' | 'forget'>;
  readonly routes: readonly RouteDeclaration[];
  readonly resealParticipants: readonly ResealParticipant[];
}

export interface LoadFigures {
  readonly running: number;
  readonly failed: number;
  readonly done: number;
}

const WEEK_MS = 7 * 24 * 3_600_000;

/** Builds the feature and defines its job; nothing is started. */
export function createLoad(deps: LoadDeps): Load {
  const uploads = createUploads(deps);
  const loads = createLoads(deps, uploads);
  const mappings = createMappings(deps);
  deps.jobs.define(JOB_KIND, (job) => loads.work(job));
  return {
    loadFile: (actor, load) => loadDirectly(deps, uploads, { actor, load }),
    uploads,
    async *rejectedRows(actor, loadId) {
      const { header } = await loads.detail(actor, loadId);
      yield* noticesCsv(deps, { loadId, kind: 'rejected', header });
    },
    async figures() {
      const rows = await deps.database.rows(figures, [new Date(deps.clock.nowMs() - WEEK_MS)]);
      const count = (...states: string[]) =>
        rows.filter(({ state }) => states.includes(state)).reduce((sum, row) => sum + Number(row.count), 0);
      return { running: count('waiting', 'running'), failed: count('failed'), done: count('done') };
    },
    routes: loadRoutes({ ...deps, uploads, loads, mappings }),
    resealParticipants: resealParticipants(deps.keyRing),
  };
}
