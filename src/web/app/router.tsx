import type { QueryClient } from '@tanstack/react-query';
import {
  Outlet,
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router';
import { z } from 'zod';
import { Frame } from './frame.tsx';
import { Lost, PageFailure } from './page-failure.tsx';
import { PageWait } from './page-wait.tsx';
import { rememberPlace } from './place.ts';
import { isSignedIn, sessionQuery } from './session.tsx';

interface RouterContext {
  readonly queries: QueryClient;
}

/** What may stand in an address: choices of a list, never a name or an identifier of a person. Anything else is dropped. */
const choice = <T extends string>(...values: readonly [T, ...T[]]) => z.enum(values).optional().catch(undefined);
const text = (max: number) => z.string().max(max).optional().catch(undefined);
const flag = z.literal(true).optional().catch(undefined);

/** How a steward looks at the queue; what is usual is left out of the address. */
const reviewView = z.object({ order: choice('likeliest'), whose: choice('mine', 'nobodys', 'waiting-for-second') });
const reviewsSearch = reviewView.extend({ state: choice('later', 'decided') });
const auditSearch = z.object({
  from: text(30),
  to: text(30),
  event: text(100),
  actor: text(200),
  client: text(80),
  address: text(64),
  kind: choice('user', 'node', 'operator', 'system', 'anonymous'),
  outcome: choice('success', 'failure', 'minor-failure', 'serious-failure'),
  open: text(80),
});
const activitySearch = z.object({
  from: text(30),
  to: text(30),
  actor: text(200),
  kind: choice('user', 'node', 'operator', 'system', 'anonymous'),
});
const receivedSearch = z.object({
  from: text(30),
  to: text(30),
  kind: text(40),
  outcome: choice('0', '4', '8', '12'),
  open: text(80),
});
const alertsSearch = z.object({ state: choice('closed') });
const accessesSearch = z.object({ part: choice('disclosures', 'client') });
const peopleSearch = z.object({
  invite: flag,
  person: text(80),
  state: choice('invited', 'active', 'disabled', 'retired'),
  organisation: text(80),
});
const nodesSearch = z.object({ node: text(80) });
const callsSearch = z.object({
  node: text(80),
  status: choice('ok', 'failed', 'refused', 'broken'),
  from: text(30),
  to: text(30),
  request: text(64),
});
const clientSearchParams = z.object({ link: text(90), part: choice('records', 'history') });

const root = createRootRouteWithContext<RouterContext>()({ component: Outlet });

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  component: lazyRouteComponent(() => import('../features/identity/sign-in-page.tsx'), 'SignInPage'),
  beforeLoad: async ({ context }) => {
    const session = await context.queries.ensureQueryData(sessionQuery).catch(() => undefined);
    if (isSignedIn(session)) redirect({ to: '/', throw: true });
  },
});
const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  component: lazyRouteComponent(() => import('../features/identity/first-steps-page.tsx'), 'SetupPage'),
});
const enrol = createRoute({
  getParentRoute: () => root,
  path: '/enrol',
  component: lazyRouteComponent(() => import('../features/identity/first-steps-page.tsx'), 'EnrolPage'),
});

const forgot = createRoute({
  getParentRoute: () => root,
  path: '/forgot',
  component: lazyRouteComponent(() => import('../features/identity/lost-pages.tsx'), 'ForgotPage'),
});
const passwordReset = createRoute({
  getParentRoute: () => root,
  path: '/password',
  component: lazyRouteComponent(() => import('../features/identity/lost-pages.tsx'), 'PasswordResetPage'),
});
const factorReset = createRoute({
  getParentRoute: () => root,
  path: '/factor',
  component: lazyRouteComponent(() => import('../features/identity/lost-pages.tsx'), 'FactorResetPage'),
});

const providerReturn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in/return',
  component: lazyRouteComponent(() => import('../features/identity/provider-pages.tsx'), 'ProviderReturnPage'),
});
const identityLink = createRoute({
  getParentRoute: () => root,
  path: '/identity',
  component: lazyRouteComponent(() => import('../features/identity/provider-pages.tsx'), 'IdentityLinkPage'),
});

const frame = createRoute({
  getParentRoute: () => root,
  id: 'frame',
  component: Frame,
  errorComponent: PageFailure,
  beforeLoad: async ({ context, location }) => {
    const session = await context.queries.ensureQueryData(sessionQuery);
    if (isSignedIn(session)) return;
    if (location.pathname !== '/') rememberPlace(location.href, 'expired');
    redirect({ to: '/sign-in', replace: true, throw: true });
  },
});

const inFrame = () => frame;
const home = createRoute({
  getParentRoute: inFrame,
  path: '/',
  component: lazyRouteComponent(() => import('../features/home/home-page.tsx'), 'HomePage'),
});
const clients = createRoute({
  getParentRoute: inFrame,
  path: '/clients',
  component: lazyRouteComponent(() => import('../features/registry/clients-page.tsx'), 'ClientsPage'),
});
const client = createRoute({
  getParentRoute: inFrame,
  path: '/clients/$id',
  validateSearch: clientSearchParams,
  component: lazyRouteComponent(() => import('../features/registry/client-page.tsx'), 'ClientPage'),
});
const reviews = createRoute({
  getParentRoute: inFrame,
  path: '/reviews',
  validateSearch: reviewsSearch,
  component: lazyRouteComponent(() => import('../features/registry/reviews-page.tsx'), 'ReviewsPage'),
});
const reviewGroups = createRoute({
  getParentRoute: inFrame,
  path: '/reviews/together',
  component: lazyRouteComponent(() => import('../features/registry/review-groups-page.tsx'), 'ReviewGroupsPage'),
});
const quality = createRoute({
  getParentRoute: inFrame,
  path: '/reviews/quality',
  component: lazyRouteComponent(() => import('../features/registry/quality-page.tsx'), 'QualityPage'),
});
const models = createRoute({
  getParentRoute: inFrame,
  path: '/reviews/models',
  component: lazyRouteComponent(() => import('../features/models/models-page.tsx'), 'ModelsPage'),
});
const model = createRoute({
  getParentRoute: inFrame,
  path: '/reviews/models/$id',
  component: lazyRouteComponent(() => import('../features/models/model-page.tsx'), 'ModelPage'),
});
const modelEvaluate = createRoute({
  getParentRoute: inFrame,
  path: '/reviews/models/evaluate',
  component: lazyRouteComponent(() => import('../features/models/evaluate-page.tsx'), 'EvaluatePage'),
});
const modelStudy = createRoute({
  getParentRoute: inFrame,
  path: '/reviews/models/studies/$id',
  component: lazyRouteComponent(() => import('../features/models/study-page.tsx'), 'StudyPage'),
});
const review = createRoute({
  getParentRoute: inFrame,
  path: '/reviews/$id',
  validateSearch: reviewView,
  component: lazyRouteComponent(() => import('../features/registry/review-page.tsx'), 'ReviewPage'),
});
const loads = createRoute({
  getParentRoute: inFrame,
  path: '/load',
  component: lazyRouteComponent(() => import('../features/load/loads-page.tsx'), 'LoadsPage'),
});
const newLoad = createRoute({
  getParentRoute: inFrame,
  path: '/load/new',
  component: lazyRouteComponent(() => import('../features/load/new-load-page.tsx'), 'NewLoadPage'),
});
const load = createRoute({
  getParentRoute: inFrame,
  path: '/load/$id',
  component: lazyRouteComponent(() => import('../features/load/load-page.tsx'), 'LoadPage'),
});
const nodes = createRoute({
  getParentRoute: inFrame,
  path: '/nodes',
  validateSearch: nodesSearch,
  component: lazyRouteComponent(() => import('../features/nodes/nodes-page.tsx'), 'NodesPage'),
});
const node = createRoute({
  getParentRoute: inFrame,
  path: '/nodes/$id',
  component: lazyRouteComponent(() => import('../features/nodes/node-page.tsx'), 'NodePage'),
});
const nodeTrust = createRoute({
  getParentRoute: inFrame,
  path: '/nodes/trust',
  component: lazyRouteComponent(() => import('../features/nodes/trust-page.tsx'), 'TrustPage'),
});
const nodeCalls = createRoute({
  getParentRoute: inFrame,
  path: '/nodes/transactions',
  validateSearch: callsSearch,
  component: lazyRouteComponent(() => import('../features/nodes/calls-page.tsx'), 'CallsPage'),
});
const addNode = createRoute({
  getParentRoute: inFrame,
  path: '/nodes/add',
  component: lazyRouteComponent(() => import('../features/nodes/add-node-page.tsx'), 'AddNodePage'),
});
const audit = createRoute({
  getParentRoute: inFrame,
  path: '/audit',
  validateSearch: auditSearch,
  component: lazyRouteComponent(() => import('../features/audit/audit-page.tsx'), 'AuditPage'),
});
const auditActivity = createRoute({
  getParentRoute: inFrame,
  path: '/audit/activity',
  validateSearch: activitySearch,
  component: lazyRouteComponent(() => import('../features/audit/activity-page.tsx'), 'ActivityPage'),
});
const auditReport = createRoute({
  getParentRoute: inFrame,
  path: '/audit/report',
  component: lazyRouteComponent(() => import('../features/audit/report-page.tsx'), 'ReportPage'),
});
const auditAlerts = createRoute({
  getParentRoute: inFrame,
  path: '/audit/alerts',
  validateSearch: alertsSearch,
  component: lazyRouteComponent(() => import('../features/audit/alerts-page.tsx'), 'AlertsPage'),
});
const auditForwarding = createRoute({
  getParentRoute: inFrame,
  path: '/audit/forwarding',
  component: lazyRouteComponent(() => import('../features/audit/forwarding-page.tsx'), 'ForwardingPage'),
});
const auditReceived = createRoute({
  getParentRoute: inFrame,
  path: '/audit/received',
  validateSearch: receivedSearch,
  component: lazyRouteComponent(() => import('../features/audit/received-page.tsx'), 'ReceivedPage'),
});
const clientAccesses = createRoute({
  getParentRoute: inFrame,
  path: '/audit/clients/$id',
  validateSearch: accessesSearch,
  component: lazyRouteComponent(() => import('../features/audit/accesses-page.tsx'), 'AccessesPage'),
});
const people = createRoute({
  getParentRoute: inFrame,
  path: '/people',
  validateSearch: peopleSearch,
  component: lazyRouteComponent(() => import('../features/identity/people-page.tsx'), 'PeoplePage'),
});
const peopleRights = createRoute({
  getParentRoute: inFrame,
  path: '/people/rights',
  validateSearch: z.object({ person: text(80) }),
  component: lazyRouteComponent(() => import('../features/identity/rights-page.tsx'), 'RightsPage'),
});
const organisations = createRoute({
  getParentRoute: inFrame,
  path: '/people/organisations',
  component: lazyRouteComponent(() => import('../features/identity/organisations-page.tsx'), 'OrganisationsPage'),
});
const roles = createRoute({
  getParentRoute: inFrame,
  path: '/people/roles',
  component: lazyRouteComponent(() => import('../features/identity/roles-page.tsx'), 'RolesPage'),
});
const accessReview = createRoute({
  getParentRoute: inFrame,
  path: '/people/access-review',
  component: lazyRouteComponent(() => import('../features/identity/access-review-page.tsx'), 'AccessReviewPage'),
});
const emergencies = createRoute({
  getParentRoute: inFrame,
  path: '/people/emergencies',
  component: lazyRouteComponent(() => import('../features/identity/emergencies-page.tsx'), 'EmergenciesPage'),
});
const providers = createRoute({
  getParentRoute: inFrame,
  path: '/people/providers',
  component: lazyRouteComponent(() => import('../features/identity/providers-page.tsx'), 'ProvidersPage'),
});
const policy = createRoute({
  getParentRoute: inFrame,
  path: '/policy',
  component: lazyRouteComponent(() => import('../features/identity/policy-page.tsx'), 'PolicyPage'),
});
const profile = createRoute({
  getParentRoute: inFrame,
  path: '/profile',
  component: lazyRouteComponent(() => import('../features/identity/profile-page.tsx'), 'ProfilePage'),
});

/** Inside the frame, so that whoever got lost still has the rail. */
const lost = createRoute({ getParentRoute: inFrame, path: '$', component: Lost });

const tree = root.addChildren([
  signIn,
  setup,
  enrol,
  forgot,
  passwordReset,
  factorReset,
  providerReturn,
  identityLink,
  frame.addChildren([
    home,
    clients,
    client,
    reviews,
    reviewGroups,
    quality,
    models,
    model,
    modelEvaluate,
    modelStudy,
    review,
    loads,
    newLoad,
    load,
    nodes,
    node,
    nodeTrust,
    nodeCalls,
    addNode,
    audit,
    auditActivity,
    auditReport,
    auditAlerts,
    auditForwarding,
    auditReceived,
    clientAccesses,
    people,
    peopleRights,
    organisations,
    roles,
    accessReview,
    emergencies,
    providers,
    policy,
    profile,
    lost,
  ]),
]);

export function createAppRouter(queries: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { queries },
    defaultPendingComponent: PageWait,
    defaultPendingMs: 200,
    defaultErrorComponent: PageFailure,
    defaultNotFoundComponent: Lost,
    defaultPreload: 'intent',
    scrollRestoration: true,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
