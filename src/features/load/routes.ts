import { Readable } from 'node:stream';
import { z } from 'zod';
import { event, noneBecause, permission, type RouteDeclaration, route } from '../../platform/http/index.ts';
import type { LoadDeps } from './deps.ts';
import { loadProblem } from './errors.ts';
import type { Loads } from './loads.ts';
import type { Mappings } from './mappings.ts';
import { noticesCsv } from './notices-file.ts';
import { FILE_BYTES_MAX } from './spool.ts';
import type { Uploads } from './uploads.ts';
import { discard, listWaiting } from './waiting-uploads.ts';
import {
  LoadAnswer,
  LoadParams,
  LoadsAnswer,
  MappingAnswer,
  MappingParams,
  MappingsAnswer,
  PreviewRequest,
  PreviewView,
  SaveMappingRequest,
  StartLoadRequest,
  UploadView,
  WaitingUploadsAnswer,
} from './wire.ts';

export interface RouteDeps extends LoadDeps {
  readonly uploads: Uploads;
  readonly loads: Loads;
  readonly mappings: Mappings;
}

const NOTHING = z.object({});
const ACCESS = permission('client.load');
const MAP_BYTES_MAX = 65_536;

export function loadRoutes(deps: RouteDeps): RouteDeclaration[] {
  return [
    ...uploadRoutes(deps),
    ...waitingRoutes(deps),
    ...runRoutes(deps),
    noticesRoute(deps, 'rejected'),
    noticesRoute(deps, 'warnings'),
    ...mappingRoutes(deps),
  ];
}

const FILE_NAME_MAX = 200;

/** X-File-Name is percent-encoded; a name that is not is taken as it stands. Only its last part, without control characters. */
function fileNameOf(header: string | undefined): string {
  let name = header ?? '';
  try {
    name = decodeURIComponent(name);
  } catch {
    // Not encoded: as it stands.
  }
  const last = name.split(/[/\\]/).at(-1) ?? '';
  return (
    last
      .replace(/\p{Cc}/gu, '')
      .trim()
      .slice(0, FILE_NAME_MAX) || 'file'
  );
}

/** What waits, and getting rid of what was sent by mistake before its day is over. */
function waitingRoutes(deps: RouteDeps): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/loads/uploads',
      access: ACCESS,
      audit: event('load.list'),
      input: { params: NOTHING, query: NOTHING, body: 'none' },
      output: WaitingUploadsAnswer,
      limits: { bodyBytesMax: 0, perMinute: 60 },
      async handle({ actor }) {
        const { value, audited } = await listWaiting(deps, actor);
        return { status: 200, body: { uploads: value }, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'DELETE',
      path: '/api/loads/uploads/:id',
      access: ACCESS,
      audit: event('load.discard'),
      input: { params: LoadParams, query: NOTHING, body: 'none' },
      output: 'none',
      limits: { bodyBytesMax: 0, perMinute: 60 },
      async handle({ actor, params }) {
        const audited = await discard({ ...deps, spool: deps.uploads.spool }, actor, params.id);
        return { status: 204, audited };
      },
    }),
  ];
}

function uploadRoutes({ uploads }: RouteDeps): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/loads/uploads',
      access: ACCESS,
      audit: event('load.upload'),
      input: { params: NOTHING, query: NOTHING, body: 'stream' },
      output: UploadView,
      limits: { bodyBytesMax: FILE_BYTES_MAX, perMinute: 30 },
      async handle(request) {
        await uploads.clean();
        const fileName = fileNameOf(request.header('x-file-name'));
        const { value, audited } = await uploads.receive(request.actor, { fileName, body: request.body });
        return { status: 201, body: value, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/loads/uploads/:id',
      access: ACCESS,
      audit: event('load.read'),
      input: { params: LoadParams, query: NOTHING, body: 'none' },
      output: UploadView,
      limits: { bodyBytesMax: 0, perMinute: 60 },
      async handle({ actor, params }) {
        const { value, audited } = await uploads.view(actor, params.id);
        return { status: 200, body: value, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/loads/uploads/:id/preview',
      access: ACCESS,
      audit: event('load.read'),
      input: { params: LoadParams, query: NOTHING, body: PreviewRequest },
      output: PreviewView,
      limits: { bodyBytesMax: MAP_BYTES_MAX, perMinute: 120 },
      async handle({ actor, params, body }) {
        const { value, audited } = await uploads.preview(actor, params.id, body);
        return { status: 200, body: value, audited };
      },
    }),
  ];
}

const POLLED = 'counts and states of loads without a value of any row, asked for every second while a page is open';

function runRoutes({ loads }: RouteDeps): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/loads',
      access: ACCESS,
      audit: event('load.start'),
      input: { params: NOTHING, query: NOTHING, body: StartLoadRequest },
      output: LoadAnswer,
      limits: { bodyBytesMax: MAP_BYTES_MAX, perMinute: 30 },
      async handle({ actor, body }) {
        const { value, audited } = await loads.start(actor, body);
        return { status: 202, body: { load: value }, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/loads',
      access: ACCESS,
      audit: noneBecause(POLLED),
      input: { params: NOTHING, query: NOTHING, body: 'none' },
      output: LoadsAnswer,
      limits: { bodyBytesMax: 0, perMinute: 240 },
      async handle({ actor }) {
        return { status: 200, body: { loads: await loads.list(actor) }, audited: null };
      },
    }),
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/loads/:id',
      access: ACCESS,
      audit: noneBecause(POLLED),
      input: { params: LoadParams, query: NOTHING, body: 'none' },
      output: LoadAnswer,
      limits: { bodyBytesMax: 0, perMinute: 240 },
      async handle({ actor, params }) {
        return { status: 200, body: { load: await loads.read(actor, params.id) }, audited: null };
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/loads/:id/cancel',
      access: ACCESS,
      audit: event('load.cancel'),
      input: { params: LoadParams, query: NOTHING, body: 'none' },
      output: LoadAnswer,
      limits: { bodyBytesMax: 0, perMinute: 30 },
      async handle({ actor, params }) {
        const { value, audited } = await loads.cancel(actor, params.id);
        return { status: 200, body: { load: value }, audited };
      },
    }),
  ];
}

/** The file of rejected rows, or of warnings, as CSV. */
function noticesRoute(deps: RouteDeps, which: 'rejected' | 'warnings'): RouteDeclaration {
  return route({
    doors: ['users'],
    method: 'GET',
    path: `/api/loads/:id/${which}`,
    access: ACCESS,
    audit: event('load.rejected'),
    input: { params: LoadParams, query: NOTHING, body: 'none' },
    output: 'bytes',
    limits: { bodyBytesMax: 0, perMinute: 30 },
    async handle({ actor, params }) {
      const { header } = await deps.loads.detail(actor, params.id);
      const view = await deps.loads.read(actor, params.id);
      const available = which === 'rejected' ? view.rejectedAvailable : view.warningsAvailable;
      if (!available)
        throw loadProblem('not-found', 'nothing-rejected', 'There is nothing to download: no row was concerned.');
      const audited = await deps.audit.recordNow([
        {
          actor,
          event: 'load.rejected',
          action: 'R',
          outcome: 'success',
          entities: [{ reference: `Load/${params.id}`, role: 'job' }],
        },
      ]);
      const kind = which === 'rejected' ? 'rejected' : 'warning';
      return {
        status: 200,
        body: Readable.from(noticesCsv(deps, { loadId: params.id, kind, header }), { objectMode: false }),
        contentType: 'text/csv; charset=utf-8',
        headers: { 'content-disposition': `attachment; filename="careseal-${which}.csv"` },
        audited,
      };
    },
  });
}

function mappingRoutes({ mappings }: RouteDeps): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/mappings',
      access: ACCESS,
      audit: event('mapping.list'),
      input: { params: NOTHING, query: NOTHING, body: 'none' },
      output: MappingsAnswer,
      limits: { bodyBytesMax: 0, perMinute: 120 },
      async handle({ actor }) {
        const { value, audited } = await mappings.list(actor);
        return { status: 200, body: { mappings: value }, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'PUT',
      path: '/api/mappings/:name',
      access: ACCESS,
      audit: event('mapping.save'),
      input: { params: MappingParams, query: NOTHING, body: SaveMappingRequest },
      output: MappingAnswer,
      limits: { bodyBytesMax: MAP_BYTES_MAX, perMinute: 60 },
      async handle({ actor, params, body }) {
        const { value, audited } = await mappings.save(actor, params.name, body.map);
        return { status: 200, body: { mapping: value }, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'DELETE',
      path: '/api/mappings/:name',
      access: ACCESS,
      audit: event('mapping.delete'),
      input: { params: MappingParams, query: NOTHING, body: 'none' },
      output: 'none',
      limits: { bodyBytesMax: 0, perMinute: 60 },
      async handle({ actor, params }) {
        const { audited } = await mappings.remove(actor, params.name);
        return { status: 204, audited };
      },
    }),
  ];
}
