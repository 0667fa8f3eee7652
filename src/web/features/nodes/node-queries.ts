import { queryOptions } from '@tanstack/react-query';
import { type WireNode, nodeListSchema, oneNodeSchema } from '../../../features/nodes/wire.ts';
import { callFiguresSchema, callListSchema } from '../../../features/nodes/wire-calls.ts';
import { trustSchema } from '../../../features/nodes/wire-trust.ts';
import { api } from '../../app/api.ts';

export const nodeList = queryOptions({
  queryKey: ['nodes'],
  queryFn: ({ signal }) => api.get('/api/nodes', nodeListSchema, { signal }),
  staleTime: 10_000,
});

export const oneNode = (id: string) =>
  queryOptions({
    queryKey: ['nodes', id],
    queryFn: ({ signal }) => api.get(`/api/nodes/${encodeURIComponent(id)}`, oneNodeSchema, { signal }),
    staleTime: 5_000,
  });

export const trusted = queryOptions({
  queryKey: ['trust'],
  queryFn: ({ signal }) => api.get('/api/trust', trustSchema, { signal }),
  staleTime: 10_000,
});

export interface CallFilters {
  readonly node?: string | undefined;
  readonly status?: 'ok' | 'failed' | 'refused' | 'broken' | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly request?: string | undefined;
}

const filled = (filters: object): string => {
  const pairs = Object.entries(filters).filter((pair): pair is [string, string] => typeof pair[1] === 'string');
  return new URLSearchParams(pairs).toString();
};

export const calls = (filters: CallFilters, before: string | undefined) =>
  queryOptions({
    queryKey: ['calls', filters, before],
    queryFn: ({ signal }) => api.get(`/api/calls?${filled({ ...filters, before })}`, callListSchema, { signal }),
    staleTime: 2_000,
  });

export type Hours = '1' | '24' | '168' | '720';

export const callFigures = (node: string | undefined, hours: Hours) =>
  queryOptions({
    queryKey: ['calls', 'figures', node, hours],
    queryFn: ({ signal }) => api.get(`/api/calls/figures?${filled({ node, hours })}`, callFiguresSchema, { signal }),
    staleTime: 5_000,
    refetchInterval: 30_000,
  });

const DAY_MS = 86_400_000;
const SOON_DAYS = 30;

export interface Expiry {
  readonly notAfter: string;
  readonly state: 'valid' | 'soon' | 'expired';
  readonly days: number;
}

export function expiryOfMoment(endsAt: string, nowMs: number): Expiry {
  const days = Math.floor((new Date(endsAt).getTime() - nowMs) / DAY_MS);
  return { notAfter: endsAt, days, state: days < 0 ? 'expired' : days <= SOON_DAYS ? 'soon' : 'valid' };
}

/** The certificate that lasts longest among those not revoked; a node may have two while it changes over. */
export function expiryOf(node: WireNode, nowMs: number): Expiry | undefined {
  const last = node.certificates
    .filter((certificate) => certificate.revokedAt === undefined)
    .map((certificate) => certificate.endsAt)
    .toSorted()
    .at(-1);
  return last === undefined ? undefined : expiryOfMoment(last, nowMs);
}
