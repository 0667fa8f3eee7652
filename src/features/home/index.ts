/** The overview page's one request: what needs attention, and the figures that the person's roles reach. */
import { z } from 'zod';
import type { Permission } from '../../kernel/access.ts';
import type { Actor, Principal } from '../../kernel/principal.ts';
import { reachOf } from '../../kernel/reach.ts';
import { type Clock, instant } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import { event, type RouteDeclaration, route, signedInBecause } from '../../platform/http/route.ts';
import type { Audit } from '../audit/index.ts';
import { readUserFigures } from '../identity/index.ts';
import { readNodeFigures } from '../nodes/index.ts';
import type { Registry } from '../registry/index.ts';
import { attentionOf, type HomeFacts } from './rules.ts';
import { homeReply } from './wire.ts';

export interface HomeDeps {
  readonly database: Database;
  readonly audit: Pick<Audit, 'recordNow'>;
  readonly registry: Pick<Registry, 'figures' | 'narrowed'>;
  readonly clock: Clock;
  /** Loads of the last seven days. */
  readonly loadFigures: () => Promise<{ readonly running: number; readonly failed: number; readonly done: number }>;
  /** How far making blocking keys anew after an upgrade is; undefined where nothing is to be done. */
  readonly oldKeys: () => Promise<HomeFacts['oldKeys'] | undefined>;
  /** Emergency accesses that wait for this principal's review. */
  readonly emergenciesWaiting: (principal: Principal) => Promise<number>;
  /** Alerts that nobody has taken on, of those that the actor may see. */
  readonly alertsWaiting: (actor: Actor) => Promise<number>;
  /** Rules for alerts that somebody has changed in the database. */
  readonly changedRules: () => Promise<number>;
  /** Whether the newest checkpoint stands and the tree was found whole. */
  readonly auditHealth: () => Promise<{ readonly proven: boolean }>;
}

export function createHome(deps: HomeDeps): { readonly routes: readonly RouteDeclaration[] } {
  return {
    routes: [
      route({
        doors: ['users'],
        method: 'GET',
        path: '/api/home',
        access: signedInBecause('Everybody sees an overview, made of what their roles allow.'),
        audit: event('home.read'),
        input: { params: z.object({}), query: z.object({}), body: 'none' },
        output: homeReply,
        limits: { bodyBytesMax: 0, perMinute: 120 },
        async handle({ actor }) {
          const { facts, figures } = await factsFor(deps, actor);
          const audited = await deps.audit.recordNow([{ actor, event: 'home.read', action: 'R', outcome: 'success' }]);
          return { status: 200, body: { attention: attentionOf(facts), figures }, audited };
        },
      }),
    ],
  };
}

async function factsFor(
  deps: HomeDeps,
  actor: Actor,
): Promise<{ facts: HomeFacts; figures: z.infer<typeof homeReply>['figures'] }> {
  const { principal } = actor;
  const may = (permission: Permission) => principal.permissions.has(permission);
  // Counts of what no organisation owns alone are for those whom every organisation concerns.
  const everywhere = (permission: Permission) => reachOf(principal, permission) === 'all';
  const nowMs = deps.clock.nowMs();
  const [emergencies, registry, nodes, users, loads, audit, alertsWaiting, changedRules, oldKeys, narrowed] =
    await Promise.all([
      may('user.manage') ? deps.emergenciesWaiting(principal) : 0,
      may('client.read') ? deps.registry.figures(principal) : undefined,
      everywhere('node.read') ? readNodeFigures(deps.database, nowMs) : undefined,
      may('user.read') ? readUserFigures(deps.database, reachOf(principal, 'user.read')) : undefined,
      everywhere('client.load') ? deps.loadFigures() : undefined,
      may('audit.read') ? deps.auditHealth() : undefined,
      may('audit.read') ? deps.alertsWaiting(actor) : 0,
      everywhere('audit.read') ? deps.changedRules() : 0,
      everywhere('review.read') ? deps.oldKeys() : undefined,
      everywhere('review.read') && everywhere('client.read') ? deps.registry.narrowed() : undefined,
    ]);
  const oldest = registry?.oldestReviewAt;
  const seesReviews = may('review.read');
  return {
    facts: {
      nowMs,
      ...(registry && seesReviews
        ? {
            registry: {
              clients: registry.clients,
              reviewsOpen: registry.reviewsOpen,
              ...(oldest ? { oldestReviewMs: oldest.getTime() } : {}),
            },
          }
        : {}),
      ...(nodes ? { nodes } : {}),
      ...(users && may('user.manage') ? { users } : {}),
      emergencies,
      alertsWaiting,
      changedRules,
      ...(loads ? { loads } : {}),
      ...(audit ? { audit } : {}),
      ...(oldKeys ? { oldKeys } : {}),
      ...(narrowed ? { narrowed } : {}),
    },
    figures: {
      ...(registry ? { clients: registry.clients, sources: registry.sources } : {}),
      ...(registry && seesReviews ? { reviewsOpen: registry.reviewsOpen } : {}),
      ...(seesReviews && oldest ? { oldestReviewAt: instant(oldest.getTime()) } : {}),
      ...(nodes ? { nodes: nodes.nodes } : {}),
      ...(users ? { users: users.users } : {}),
      ...(loads ? { loads: loads.done + loads.running } : {}),
    },
  };
}
