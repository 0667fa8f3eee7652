import { queryOptions } from '@tanstack/react-query';
import { type WireNode, nodeListSchema } from '../../../features/nodes/wire.ts';
import { api } from '../../app/api.ts';

export const nodeList = queryOptions({
  queryKey: ['nodes'],
  queryFn: ({ signal }) => api.get('/api/nodes', nodeListSchema, { signal }),
  staleTime: 10_000,
});

const DAY_MS = 86_400_000;
const SOON_DAYS = 30;

export interface Expiry {
  readonly notAfter: string;
  readonly state: 'valid' | 'soon' | 'expired';
  readonly days: number;
}

/** The certificate that lasts longest among those not revoked; a node may have two while it changes over. */
export function expiryOf(node: WireNode, nowMs: number): Expiry | undefined {
  const last = node.certificates
    .filter((certificate) => certificate.revokedAt === undefined)
    .map((certificate) => certificate.notAfter)
    .toSorted()
    .at(-1);
  if (last === undefined) return undefined;
  const days = Math.floor((new Date(last).getTime() - nowMs) / DAY_MS);
  return { notAfter: last, days, state: days < 0 ? 'expired' : days <= SOON_DAYS ? 'soon' : 'valid' };
}
