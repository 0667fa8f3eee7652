import { z } from 'zod';
import type { Actor } from '../../kernel/principal.ts';
import { event, permission, type RouteDeclaration, route } from '../../platform/http/route.ts';
import type { Audit, AuditInput } from '../audit/index.ts';
import { listReceived, oneReceived, type ReceivedListDeps } from './received-list.ts';
import { ReceivedOneReply, ReceivedParams, ReceivedQuery, ReceivedReply } from './wire-received.ts';

export interface ReceivedRoutesDeps extends ReceivedListDeps {
  readonly audit: Pick<Audit, 'recordNow'>;
  /** Whether events are taken, and at which ports beside FHIR. */
  readonly takes: Pick<ReceivedReply, 'takes' | 'tlsPort' | 'udpPort'>;
}

const NOTHING = z.strictObject({});
const BODY_BYTES = 4_096;

const looked = (actor: Actor, part: Pick<AuditInput, 'action'> & Partial<AuditInput>): AuditInput => ({
  ...{ actor, event: 'audit.received', outcome: 'success' },
  ...part,
});

/** What other systems sent, for the auditors' page. */
export function receivedRoutes(deps: ReceivedRoutesDeps): RouteDeclaration[] {
  const { audit, takes } = deps;
  const shared = {
    doors: ['users'],
    // What other organisations did stands there as well.
    access: permission('audit.read', { everywhere: true }),
    audit: event('audit.received'),
  } as const;
  return [
    route({
      ...shared,
      method: 'POST',
      path: '/api/audit/received',
      input: { params: NOTHING, query: NOTHING, body: ReceivedQuery },
      output: ReceivedReply,
      limits: { bodyBytesMax: BODY_BYTES, perMinute: 240 },
      async handle({ actor, body: query }) {
        const page = await listReceived(deps, query);
        const audited = await audit.recordNow([looked(actor, { action: 'E', query: JSON.stringify(query) })]);
        return { status: 200, body: { ...takes, ...page }, audited };
      },
    }),
    route({
      ...shared,
      method: 'GET',
      path: '/api/audit/received/:id',
      input: { params: ReceivedParams, query: NOTHING, body: 'none' },
      output: ReceivedOneReply,
      limits: { bodyBytesMax: 0, perMinute: 240 },
      async handle({ actor, params }) {
        const body = await oneReceived(deps, params.id);
        const entities = [{ reference: `AuditEvent/${params.id}`, role: 'security-resource' as const }];
        const audited = await audit.recordNow([looked(actor, { action: 'R', entities })]);
        return { status: 200, body, audited };
      },
    }),
  ];
}
