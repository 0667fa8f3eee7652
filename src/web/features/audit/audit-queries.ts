import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { AuditEventReply, AuditListReply, AuditNamesReply, AuditStatusReply } from '../../../features/audit/wire.ts';
import { api } from '../../app/api.ts';

export interface AuditFilters {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly event?: string | undefined;
  readonly actor?: string | undefined;
  readonly client?: string | undefined;
  readonly address?: string | undefined;
  readonly kind?: string | undefined;
  readonly outcome?: string | undefined;
}

/** A day as the person's own calendar has it becomes the instants in which it begins and ends. */
export function dayStart(day: string, plusDays: number): string | undefined {
  const [year, month, date] = day.split('-').map(Number);
  if (year === undefined || month === undefined || date === undefined) return undefined;
  const at = new Date(year, month - 1, date + plusDays);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

export function queryOf(filters: AuditFilters, cursor: string): URLSearchParams {
  const query = new URLSearchParams({ limit: '100' });
  const put = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') query.set(name, value);
  };
  put('from', filters.from === undefined ? undefined : dayStart(filters.from, 0));
  put('to', filters.to === undefined ? undefined : dayStart(filters.to, 1));
  put('event', filters.event);
  put('actor', filters.actor);
  put('client', filters.client);
  put('outcome', filters.outcome);
  put('address', filters.address);
  put('kind', filters.kind);
  put('cursor', cursor);
  return query;
}

export const auditList = (filters: AuditFilters) =>
  infiniteQueryOptions({
    queryKey: ['audit', 'list', filters],
    initialPageParam: '',
    queryFn: ({ signal, pageParam }) =>
      api.get(`/api/audit/events?${queryOf(filters, pageParam).toString()}`, AuditListReply, { signal }),
    getNextPageParam: (last) => last.next,
    staleTime: 5_000,
  });

export const auditEvent = (id: string) =>
  queryOptions({
    queryKey: ['audit', 'one', id],
    queryFn: ({ signal }) => api.get(`/api/audit/events/${encodeURIComponent(id)}`, AuditEventReply, { signal }),
    // An event that has no place in the tree yet gets one within a second or two.
    refetchInterval: (query) => (query.state.data && query.state.data.proof === undefined ? 2000 : false),
  });

export const auditStatus = queryOptions({
  queryKey: ['audit', 'status'],
  queryFn: ({ signal }) => api.get('/api/audit/status', AuditStatusReply, { signal }),
  refetchInterval: 15_000,
});

export const auditNames = queryOptions({
  queryKey: ['audit', 'names'],
  queryFn: ({ signal }) => api.get('/api/audit/names', AuditNamesReply, { signal }),
  staleTime: Number.POSITIVE_INFINITY,
});
