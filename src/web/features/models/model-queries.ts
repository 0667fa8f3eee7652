import { queryOptions } from '@tanstack/react-query';
import {
  exampleReply,
  modelDetail,
  type ModelsReply,
  modelsReply,
  shadowReply,
  studyReportReply,
} from '../../../features/models/wire.ts';
import { api } from '../../app/api.ts';

export const isGoing = (state: string): boolean => state === 'waiting' || state === 'running';
const isBusy = (data: ModelsReply | undefined): boolean =>
  data !== undefined && [...data.studies, ...data.activations].some(({ state }) => isGoing(state));

/** Asked again every two seconds while something goes on. */
export const modelsQuery = queryOptions({
  queryKey: ['models'],
  queryFn: ({ signal }) => api.get('/api/models', modelsReply, { signal }),
  refetchInterval: ({ state }) => (isBusy(state.data) ? 2_000 : false),
});
export const modelQuery = (id: string) =>
  queryOptions({
    queryKey: ['models', 'one', id],
    queryFn: ({ signal }) => api.get(`/api/models/${id}`, modelDetail, { signal }),
    staleTime: 300_000,
  });
export const studyQuery = (id: string) =>
  queryOptions({
    queryKey: ['models', 'study', id],
    queryFn: ({ signal }) => api.get(`/api/models/studies/${id}`, studyReportReply, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
/** `path` of an example: one pair of a report, or of the shadow. */
export const exampleQuery = (path: string) =>
  queryOptions({
    queryKey: ['models', 'example', path],
    queryFn: ({ signal }) => api.get(path, exampleReply, { signal }),
  });
export const exampleOf = (study: string, at: number): string => `/api/models/studies/${study}/examples/${at}`;
export const shadowQuery = queryOptions({
  queryKey: ['models', 'shadow'],
  queryFn: ({ signal }) => api.get('/api/models/shadow', shadowReply, { signal }),
});
