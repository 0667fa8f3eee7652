import { queryOptions } from '@tanstack/react-query';
import {
  LoadAnswer,
  type LoadView,
  LoadsAnswer,
  type MapDocument,
  MappingsAnswer,
  PreviewView,
  type UploadView,
  WaitingUploadsAnswer,
} from '../../../features/load/wire.ts';
import { domainListSchema } from '../../../features/nodes/wire.ts';
import { api } from '../../app/api.ts';

export function isRunning(load: LoadView): boolean {
  return load.state === 'waiting' || load.state === 'running';
}

export const loadList = queryOptions({
  queryKey: ['loads', 'list'],
  queryFn: ({ signal }) => api.get('/api/loads', LoadsAnswer, { signal }),
  refetchInterval: (query) => (query.state.data?.loads.some(isRunning) ? 1500 : false),
});

export const loadDetail = (id: string) =>
  queryOptions({
    queryKey: ['loads', 'one', id],
    queryFn: ({ signal }) => api.get(`/api/loads/${encodeURIComponent(id)}`, LoadAnswer, { signal }),
    refetchInterval: (query) => (!query.state.data || isRunning(query.state.data.load) ? 700 : false),
  });

export const waitingUploads = queryOptions({
  queryKey: ['loads', 'uploads'],
  queryFn: ({ signal }) => api.get('/api/loads/uploads', WaitingUploadsAnswer, { signal }),
});

export const mappingList = queryOptions({
  queryKey: ['mappings'],
  queryFn: ({ signal }) => api.get('/api/mappings', MappingsAnswer, { signal }),
});

export const domainList = queryOptions({
  queryKey: ['domains'],
  queryFn: ({ signal }) => api.get('/api/domains', domainListSchema, { signal }),
});

export const preview = (uploadId: string, map: MapDocument, domain: string) =>
  queryOptions({
    queryKey: ['loads', 'preview', uploadId, map, domain],
    queryFn: ({ signal }) =>
      api.send(
        'POST',
        `/api/loads/uploads/${uploadId}/preview`,
        PreviewView,
        { map, ...(domain === '' ? {} : { domain }) },
        { signal },
      ),
    // Rows of clients are not kept longer than they are looked at.
    gcTime: 30_000,
    staleTime: 60_000,
    retry: false,
  });

/** A file being prepared: kept while one looks at something else, for example at the result of a dry run. */
export interface LoadDraft {
  readonly upload: UploadView;
  readonly map: MapDocument;
  readonly domain: string;
}

export const loadDraft = queryOptions({
  queryKey: ['load-draft'],
  queryFn: (): LoadDraft | null => null,
  staleTime: Number.POSITIVE_INFINITY,
  gcTime: Number.POSITIVE_INFINITY,
});
