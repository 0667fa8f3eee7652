import type { Access, AuditDeclaration, Door, RouteDeclaration, RouteLimits } from './route.ts';

const DOORS: readonly Door[] = ['users', 'nodes', 'operations'];
/** A reason shorter than this is a placeholder, not a reason somebody can review in the golden list. */
const REASON_LENGTH_MIN = 10;

/**
 * The compiler already demands access, audit and limits; this repeats it at start, for declarations that came through a
 * cast or from JavaScript. A route whose exposure nobody decided must never be reachable.
 */
export function assertRoutes(routes: readonly RouteDeclaration[]): void {
  const faults: string[] = [];
  const seen = new Set<string>();
  for (const route of routes) {
    const name = `${String(route.method)} ${String(route.path)}`;
    for (const fault of faultsOf(route)) faults.push(`${name}: ${fault}`);
    for (const door of route.doors ?? []) {
      const key = `${door} ${name}`;
      if (seen.has(key)) faults.push(`${key}: declared twice`);
      seen.add(key);
    }
  }
  if (faults.length > 0) throw new Error(`Routes refused at start:\n  ${faults.join('\n  ')}`);
}

function faultsOf(route: Partial<RouteDeclaration>): string[] {
  const faults: string[] = [];
  const doors: readonly Door[] = Array.isArray(route.doors) ? route.doors : [];
  if (doors.length === 0 || !doors.every((door) => DOORS.includes(door))) faults.push('needs at least one known door');
  if (typeof route.path !== 'string' || !route.path.startsWith('/')) faults.push('needs a path that starts with /');
  if (!accessIsDecided(route.access))
    faults.push('needs an access: permission(…), signedInBecause(…), publicBecause(…) or openBecause(…)');
  if (route.access?.kind === 'permission' && doors.includes('nodes') && route.access.scope === undefined)
    faults.push('on the nodes’ door needs a scope: permission(…, { scope })');
  if (!auditIsDecided(route.audit)) faults.push('needs an audit: event(…) or noneBecause(…)');
  if (route.input === undefined || route.output === undefined) faults.push('needs input and output');
  if (typeof route.handle !== 'function') faults.push('needs a handler');
  faults.push(...limitFaults(route.limits, route));
  return faults;
}

function accessIsDecided(access: Access | undefined): boolean {
  if (access?.kind === 'permission') return typeof access.permission === 'string' && access.permission.length > 0;
  const reasoned = access?.kind === 'signed-in' || access?.kind === 'public' || access?.kind === 'open';
  return reasoned && isReason(access.because);
}

function auditIsDecided(audit: AuditDeclaration | undefined): boolean {
  if (audit?.kind === 'event') return typeof audit.event === 'string' && audit.event.length > 0;
  return audit?.kind === 'none' && isReason(audit.because);
}

function isReason(text: unknown): boolean {
  return typeof text === 'string' && text.trim().length >= REASON_LENGTH_MIN;
}

function limitFaults(limits: RouteLimits | undefined, route: Partial<RouteDeclaration>): string[] {
  const { bodyBytesMax, perMinute } = limits ?? {};
  if (!Number.isSafeInteger(bodyBytesMax) || !Number.isSafeInteger(perMinute))
    return ['needs limits: bodyBytesMax and perMinute'];
  const faults: string[] = [];
  if (Number(perMinute) < 1) faults.push('perMinute must be at least 1');
  const takesBody = route.input !== undefined && route.input.body !== 'none';
  if (takesBody !== Number(bodyBytesMax) > 0) faults.push("bodyBytesMax must be 0 exactly where the body is 'none'");
  if (takesBody && route.method === 'GET') faults.push('GET takes no body');
  return faults;
}
