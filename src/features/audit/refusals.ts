import type { Refusal } from '../../platform/http/refusals.ts';
import { type AuditEventName, eventShape, isAuditEventName } from './events.ts';
import type { AuditInput } from './model.ts';

/** The event of a request that was turned away: the event the route would have recorded, told as a failure. */
export function refusalInput(refusal: Refusal): AuditInput {
  const { actor, event: name } = refusal;
  const event: AuditEventName =
    refusal.stage === 'authentication' && actor.origin.door === 'nodes'
      ? 'node.authenticate'
      : name !== undefined && isAuditEventName(name)
        ? name
        : 'access.refused';
  const detail: Record<string, string> = { method: refusal.method, status: String(refusal.status) };
  if (refusal.route !== undefined) detail['route'] = refusal.route;
  if (refusal.certificateSha256 !== undefined) detail['certificate'] = refusal.certificateSha256;
  if (refusal.count > 1) detail['count'] = String(refusal.count);
  return {
    actor,
    event,
    action: actionOf(event, refusal.method),
    outcome: refusal.status >= 500 ? 'serious-failure' : 'minor-failure',
    reason: refusal.problem.code,
    detail,
  };
}

const BY_SUBTYPE: Readonly<Record<string, AuditInput['action']>> = {
  read: 'R',
  vread: 'R',
  'history-instance': 'R',
  create: 'C',
  update: 'U',
  delete: 'D',
  'search-type': 'E',
};
const BY_METHOD: Readonly<Record<string, AuditInput['action']>> = { GET: 'R', PUT: 'U', PATCH: 'U', DELETE: 'D' };

function actionOf(event: AuditEventName, method: string): AuditInput['action'] {
  return BY_SUBTYPE[eventShape(event)?.subtype ?? ''] ?? BY_METHOD[method] ?? 'E';
}
