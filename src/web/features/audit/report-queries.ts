import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import {
  ActivityReply,
  ActorsReply,
  DisclosuresReply,
  OrganisationsReply,
  OwnViewReply,
  ReportReply,
  SavedReply,
} from '../../../features/reports/wire.ts';
import { api } from '../../app/api.ts';
import { dayStart } from './audit-queries.ts';

export interface Days {
  readonly from: string;
  readonly to: string;
}

/** The day that is `days` before today, as the person's own calendar has it: `2026-01-31`. */
export function dayBefore(days: number): string {
  const at = new Date();
  at.setDate(at.getDate() - days);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** From the beginning of the first day to the end of the last one. */
export function instantsOf({ from, to }: Days): Days {
  return { from: dayStart(from, 0) ?? new Date(0).toISOString(), to: dayStart(to, 1) ?? new Date().toISOString() };
}

export const activity = (days: Days, kind: string | undefined, actor: string | undefined) =>
  queryOptions({
    queryKey: ['audit', 'activity', days, kind, actor],
    queryFn: ({ signal }) => {
      const query = new URLSearchParams({ ...instantsOf(days) });
      if (kind !== undefined) query.set('kind', kind);
      if (actor !== undefined) query.set('actor', actor);
      return api.get(`/api/audit/activity?${query.toString()}`, ActivityReply, { signal });
    },
    staleTime: 30_000,
  });

export const actors = queryOptions({
  queryKey: ['audit', 'actors'],
  queryFn: ({ signal }) => api.get('/api/audit/actors', ActorsReply, { signal }),
  staleTime: 300_000,
});

export const organisations = queryOptions({
  queryKey: ['audit', 'organisations'],
  queryFn: ({ signal }) => api.get('/api/audit/organisations', OrganisationsReply, { signal }),
  staleTime: 300_000,
});

export const savedSearches = queryOptions({
  queryKey: ['audit', 'saved'],
  queryFn: ({ signal }) => api.get('/api/audit/searches', SavedReply, { signal }),
  staleTime: 300_000,
});

/** What the User Action Report is asked for, as it stands in the form. */
export interface ReportForm extends Days {
  readonly organisation?: string | undefined;
  readonly event?: string | undefined;
  readonly actor?: string | undefined;
  readonly client?: string | undefined;
}

export function reportBody({ event, from, to, ...rest }: ReportForm): Record<string, unknown> {
  const given = Object.entries(rest).filter(([, value]) => value !== undefined && value !== '');
  return {
    ...instantsOf({ from, to }),
    ...Object.fromEntries(given),
    ...(event === undefined ? {} : { events: [event] }),
  };
}

export const report = (form: ReportForm) =>
  infiniteQueryOptions({
    queryKey: ['audit', 'report', form],
    initialPageParam: '',
    queryFn: ({ signal, pageParam }) =>
      api.send(
        'POST',
        '/api/audit/report',
        ReportReply,
        { ...reportBody(form), ...(pageParam === '' ? {} : { cursor: pageParam }) },
        { signal },
      ),
    getNextPageParam: (last) => last.next,
  });

export const accesses = (clientId: string) =>
  infiniteQueryOptions({
    queryKey: ['audit', 'accesses', clientId],
    initialPageParam: '',
    queryFn: ({ signal, pageParam }) =>
      api.get(
        `/api/clients/${encodeURIComponent(clientId)}/accesses${pageParam === '' ? '' : `?cursor=${pageParam}`}`,
        ReportReply,
        { signal },
      ),
    getNextPageParam: (last) => last.next,
  });

export const disclosures = (clientId: string, years: number) =>
  queryOptions({
    queryKey: ['audit', 'disclosures', clientId, years],
    queryFn: ({ signal }) =>
      api.get(`/api/clients/${encodeURIComponent(clientId)}/disclosures?years=${years}`, DisclosuresReply, { signal }),
  });

export const ownView = (clientId: string, years: number) =>
  queryOptions({
    queryKey: ['audit', 'own-view', clientId, years],
    queryFn: ({ signal }) =>
      api.get(`/api/clients/${encodeURIComponent(clientId)}/own-view?years=${years}`, OwnViewReply, { signal }),
  });
