import { z } from 'zod';
import type { Actor } from '../../kernel/principal.ts';
import { event, permission, type RouteDeclaration, type RouteLimits, route } from '../../platform/http/route.ts';
import type { Audit } from '../audit/index.ts';
import type { Alerts } from './alerts.ts';
import type { RuleSettingsStore } from './rule-settings.ts';
import {
  AcknowledgeAlert,
  AlertParams,
  AlertsQuery,
  AlertsReply,
  CloseAlert,
  Recipients,
  RuleParams,
  RuleSettings,
  RulesReply,
} from './wire.ts';

export interface AlertRoutesDeps {
  readonly audit: Pick<Audit, 'recordNow'>;
  readonly alerts: Alerts;
  readonly settings: RuleSettingsStore;
  /** Ids of the only actors the asker may see; undefined: all. */
  readonly within: (actor: Actor) => Promise<readonly string[] | undefined>;
  readonly mailConfigured: boolean;
}

const NOTHING = z.strictObject({});
const limits = (perMinute: number, bodyBytesMax = 0): RouteLimits => ({ bodyBytesMax, perMinute });
const BODY = 16_384;
const reads = permission('audit.read');
/** Alerts are about people of every organisation. */
const handles = permission('audit.read', { everywhere: true });
/** Whoever silences a rule, or has its mails sent elsewhere, proves who they are. */
const manages = permission('settings.manage', { everywhere: true, stepUp: true });

export function alertRoutes(deps: AlertRoutesDeps): RouteDeclaration[] {
  return [...listRoutes(deps), ...settingsRoutes(deps)];
}

function listRoutes({ audit, alerts, within }: AlertRoutesDeps): RouteDeclaration[] {
  const handled = (act: 'acknowledge' | 'close', body: typeof AcknowledgeAlert | typeof CloseAlert): RouteDeclaration =>
    route({
      doors: ['users'],
      method: 'POST',
      path: `/api/alerts/:id/${act}`,
      access: handles,
      audit: event(`alert.${act}`),
      input: { params: AlertParams, query: NOTHING, body },
      output: 'none',
      limits: limits(120, BODY),
      async handle({ actor, params, body: { note } }) {
        return { status: 204, audited: await alerts.handle(actor, act, params.id, note) };
      },
    });
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/alerts',
      access: reads,
      audit: event('alert.list'),
      input: { params: NOTHING, query: AlertsQuery, body: 'none' },
      output: AlertsReply,
      limits: limits(240),
      async handle({ actor, query }) {
        const body = await alerts.list(query, await within(actor));
        const audited = await audit.recordNow([
          { actor, event: 'alert.list', action: 'R', outcome: 'success', detail: { state: query.state } },
        ]);
        return { status: 200, body, audited };
      },
    }),
    handled('acknowledge', AcknowledgeAlert),
    handled('close', CloseAlert),
  ];
}

function settingsRoutes({ audit, settings, mailConfigured }: AlertRoutesDeps): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/alerts/rules',
      access: handles,
      audit: event('alert.list'),
      input: { params: NOTHING, query: NOTHING, body: 'none' },
      output: RulesReply,
      limits: limits(120),
      async handle({ actor }) {
        const body = await settings.reply(mailConfigured);
        const audited = await audit.recordNow([
          { actor, event: 'alert.list', action: 'R', outcome: 'success', detail: { what: 'rules' } },
        ]);
        return { status: 200, body, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'PUT',
      path: '/api/alerts/rules/:name',
      access: manages,
      audit: event('alert.rule'),
      input: { params: RuleParams, query: NOTHING, body: RuleSettings },
      output: 'none',
      limits: limits(60, BODY),
      async handle({ actor, params, body }) {
        return { status: 204, audited: await settings.change(actor, params.name, body) };
      },
    }),
    route({
      doors: ['users'],
      method: 'PUT',
      path: '/api/alerts/recipients',
      access: manages,
      audit: event('alert.rule'),
      input: { params: NOTHING, query: NOTHING, body: Recipients },
      output: 'none',
      limits: limits(30, BODY),
      async handle({ actor, body }) {
        return { status: 204, audited: await settings.changeRecipients(actor, body.recipients) };
      },
    }),
  ];
}
