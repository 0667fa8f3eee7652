import { type NodeId, parseId } from '../../kernel/ids.ts';
import { instant } from '../../kernel/time.ts';
import { event, permission, type RouteDeclaration, route } from '../../platform/http/index.ts';
import {
  type CallRow,
  type FailureRow,
  type FigureRow,
  GROUP_FAILURES,
  LIST_CALLS,
  READ_FIGURES,
} from './call-store.ts';
import { BUCKETS_MS } from './calls.ts';
import { nodeUnknown } from './errors.ts';
import { NOTHING, type RouteDeps } from './route-parts.ts';
import {
  callFiguresSchema,
  callListSchema,
  callQuerySchema,
  figuresQuerySchema,
  type WireCall,
  type WireCallSlot,
  type WireFailureGroup,
} from './wire-calls.ts';

const PAGE = 100;
const HOUR_MS = 3_600_000;
/** Some 60 slots for each span. */
const SLOT_SECONDS: Readonly<Record<string, number>> = { 1: 60, 24: 1_800, 168: 10_800, 720: 43_200 };
const STATUS = { ok: [100, 399], failed: [400, 599], refused: [400, 499], broken: [500, 599] } as const;

/** What nodes asked and how it went. */
export function callRoutes({ parts }: Pick<RouteDeps, 'parts'>): RouteDeclaration[] {
  const { database, audit, clock } = parts;
  const common = {
    doors: ['users'],
    method: 'GET',
    access: permission('node.read', { everywhere: true }),
    audit: event('call.list'),
  } as const;
  const limits = { bodyBytesMax: 0, perMinute: 240 } as const;
  return [
    route({
      ...common,
      limits,
      path: '/api/calls',
      input: { params: NOTHING, query: callQuerySchema, body: 'none' },
      output: callListSchema,
      async handle({ actor, query }) {
        const [lowest, highest] = query.status === undefined ? [100, 599] : STATUS[query.status];
        const span = [dateOf(query.from), dateOf(query.to)];
        const values = [nodeOf(query.node), ...span, lowest, highest, query.request ?? null];
        const before = query.before === undefined ? null : BigInt(query.before);
        const rows = await database.rows(LIST_CALLS, [...values, before, PAGE + 1]);
        const audited = await audit.recordNow([{ actor, event: 'call.list', action: 'R', outcome: 'success' }]);
        return { status: 200, body: { calls: rows.slice(0, PAGE).map(wireCall), more: rows.length > PAGE }, audited };
      },
    }),
    route({
      ...common,
      limits,
      path: '/api/calls/figures',
      input: { params: NOTHING, query: figuresQuerySchema, body: 'none' },
      output: callFiguresSchema,
      async handle({ actor, query }) {
        const hours = Number(query.hours ?? '24');
        const slotSeconds = SLOT_SECONDS[hours] ?? 1_800;
        const slotMs = slotSeconds * 1_000;
        const toMs = (Math.floor(clock.nowMs() / slotMs) + 1) * slotMs;
        const [from, to] = [new Date(toMs - hours * HOUR_MS), new Date(toMs)];
        const span = [nodeOf(query.node), from, to];
        const slots = await database.rows(READ_FIGURES, [...span, slotSeconds]);
        const failures = await database.rows(GROUP_FAILURES, span);
        const audited = await audit.recordNow([{ actor, event: 'call.list', action: 'R', outcome: 'success' }]);
        const body = {
          hours,
          slotSeconds,
          from: from.toISOString(),
          to: to.toISOString(),
          slots: slots.map(wireSlot),
          failures: failures.map(wireFailure),
        };
        return { status: 200, body, audited };
      },
    }),
  ];
}

function nodeOf(text: string | undefined): NodeId | null {
  if (text === undefined) return null;
  const id = parseId<NodeId>(text);
  if (id === undefined) throw nodeUnknown();
  return id;
}

function dateOf(text: string | undefined): Date | null {
  return text === undefined ? null : new Date(text);
}

function wireNodeName({ node_id, node_name }: Pick<CallRow, 'node_id' | 'node_name'>) {
  return node_id === null ? {} : { node: { id: node_id, name: node_name ?? '' } };
}

function wireCall(row: CallRow): WireCall {
  return {
    id: String(row.id),
    at: instant(row.at.getTime()),
    ...wireNodeName(row),
    method: row.method,
    route: row.route,
    status: row.status,
    ...(row.code === null ? {} : { code: row.code }),
    milliseconds: Math.round(row.duration_ms * 100) / 100,
    ...(row.bytes_in === null ? {} : { bytesIn: row.bytes_in }),
    ...(row.bytes_out === null ? {} : { bytesOut: row.bytes_out }),
    requestId: row.request_id,
  };
}

function wireFailure(row: FailureRow): WireFailureGroup {
  return {
    ...wireNodeName(row),
    method: row.method,
    route: row.route,
    status: row.status,
    ...(row.code === null ? {} : { code: row.code }),
    calls: row.calls,
    firstAt: instant(row.first_at.getTime()),
    lastAt: instant(row.last_at.getTime()),
    lastRequest: row.last_request,
  };
}

function wireSlot(row: FigureRow): WireCallSlot {
  const { slot, calls, failed, max_ms: maxMs, buckets } = row;
  const within = (share: number) => Math.min(quantile(buckets, share), maxMs);
  return {
    at: instant(slot.getTime()),
    calls,
    failed,
    medianMs: round(within(0.5)),
    p95Ms: round(within(0.95)),
    maxMs: round(maxMs),
  };
}

/** The upper bound of the bucket in which this share of the calls is reached. */
function quantile(buckets: readonly number[], share: number): number {
  const total = buckets.reduce((sum, one) => sum + one, 0);
  let seen = 0;
  for (const [at, one] of buckets.entries()) {
    seen += one;
    if (seen >= total * share) return BUCKETS_MS[at] ?? Number.POSITIVE_INFINITY;
  }
  return Number.POSITIVE_INFINITY;
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
