import type { Access, AuditDeclaration, RouteDeclaration } from './route.ts';

/**
 * One line per door, method and path: `users GET /api/nodes | permission node.read | event node.list | body 0 B, 120/min`.
 * The golden file holds these lines, so every change of exposure is a line a reviewer sees.
 */
export function routeLines(routes: readonly RouteDeclaration[]): string[] {
  const lines: string[] = [];
  for (const route of routes) {
    const limits = `body ${route.limits.bodyBytesMax} B, ${route.limits.perMinute}/min`;
    for (const door of route.doors)
      lines.push(
        [`${door} ${route.method} ${route.path}`, accessText(route.access), auditText(route.audit), limits].join(' | '),
      );
  }
  return lines.sort();
}

function accessText(access: Access): string {
  const stepUp = 'stepUp' in access ? ', step-up' : '';
  const everywhere = 'everywhere' in access ? ', everywhere' : '';
  if (access.kind !== 'permission') return `${access.kind}${stepUp}: ${access.because}`;
  return `permission ${access.permission}${access.scope === undefined ? '' : `, node scope ${access.scope}`}${everywhere}${stepUp}`;
}

function auditText(audit: AuditDeclaration): string {
  return audit.kind === 'event' ? `event ${audit.event}` : `none: ${audit.because}`;
}
