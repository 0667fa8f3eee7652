import { newId } from '../../crypto/index.ts';
import type { Permission } from '../../kernel/access.ts';
import type { OrganisationId, UserId } from '../../kernel/ids.ts';
import type { Actor, Principal, RequestOrigin } from '../../kernel/principal.ts';
import type { Problem } from '../../kernel/problem.ts';
import type { Access, RouteDeclaration } from '../../platform/http/route.ts';
import type { ResealParticipant } from '../../store/index.ts';
import { decideAccess, type ResourceClaim, stepUpRefusal } from './access.ts';
import { createAccessReview } from './access-review.ts';
import { lockAdministrators } from './administrators.ts';
import { createBackground } from './background.ts';
import { createBans } from './bans.ts';
import { composeParts, type IdentityDeps, type IdentityParts } from './compose.ts';
import { createDirectory, type Directory } from './directory.ts';
import { createEmergencies } from './emergencies.ts';
import { emergencyRoutes, personalTokenRoutes, tokenAdministrationRoutes } from './emergency-routes.ts';
import { networkRefused } from './errors.ts';
import { createExceptions, type Exceptions } from './exceptions.ts';
import { createFactorReset } from './factor-reset.ts';
import { factorRoutes } from './factor-routes.ts';
import { type FarReaching, farReaching } from './far-reaching.ts';
import { linkRoutes } from './link-routes.ts';
import { type IssuedLink, issueSetupLink } from './links.ts';
import type { Session } from './model.ts';
import { createNotices, type Notices } from './notices.ts';
import { accessReviewRoutes, organisationChoicesRoute, organisationRoutes, roleRoutes } from './organisation-routes.ts';
import { createOrganisations, type Organisations } from './organisations.ts';
import { createOwnAccount } from './own-account.ts';
import { createOwnFactors } from './own-factors.ts';
import { changeOwnPassword } from './own-password.ts';
import { ownRoutes } from './own-routes.ts';
import { createPasswordReset } from './password-reset.ts';
import { peopleRoutes } from './people-routes.ts';
import { createPersonalTokens, type PersonalTokens } from './personal-tokens.ts';
import type { Policy } from './policy.ts';
import { policyRoutes, setNetworks } from './policy-routes.ts';
import { ANONYMOUS, makePrincipal } from './principal.ts';
import { providerAdministrationRoutes, providerRoutes, providerSignInRoutes } from './provider-routes.ts';
import { createProviders } from './providers.ts';
import { createResealParticipants } from './reseal.ts';
import { resetRoutes } from './reset-routes.ts';
import { createRoles } from './roles.ts';
import { passwordCheckRoute, signInRoutes } from './sign-in-routes.ts';
import { createStepUp } from './step-up.ts';
import { userRoutes } from './user-routes.ts';
import { createUsers, type Users } from './users.ts';

export type { ResourceClaim } from './access.ts';
/** What identity is made of; see compose.ts for the defaults. */
export type { IdentityDeps } from './compose.ts';
/** Refusals that the command line makes itself. */
export { setUpDone, userUnknown } from './errors.ts';
export { readUserFigures, type UserFigures } from './figures.ts';
export type { IssuedLink } from './links.ts';
export { IdentitySettings } from './model.ts';
/** The policy in words, for the command line. */
export { policySettings, policyWarnings } from './policy-words.ts';
export type { BoundMark } from './row-binding.ts';
/** Every permission: the operator at the command line, and Careseal's own jobs. */
export { ALL_PERMISSIONS } from './rules.ts';
export type { ChangeUser } from './user-acts.ts';
/** Names of people, for features that show who works on something. */
export { createUserDirectory, type UserDirectory } from './user-directory.ts';
/** Users and links as JSON, for the command line's `--json`. */
export { userEntry, userLinkAnswer } from './user-routes.ts';
export type { UserOutcome, Users } from './users.ts';
export type { PolicySetting } from './wire-policy.ts';
/** The one place where access is decided; see access.ts. Also on `Identity`. */
export { decideAccess };

/** People who sign in: organisations, users, sessions, and the one decision about access. */
export interface Identity {
  /**
   * The principal of a request to the users' door: the user of the session cookie, or of the personal access token where an
   * Authorization header is sent (the cookie is not looked at then), or anonymous. Never throws for a bad
   * cookie. A session seen within the last second costs microseconds, another one a single query.
   */
  authenticateUser(cookieHeader: string | undefined, origin: RequestOrigin, authorization?: string): Promise<Principal>;
  /** `undefined` when allowed, else the refusal: 401 for a stranger, 403 for somebody who may not. */
  decideAccess(principal: Principal, access: Access, resource?: ResourceClaim): Problem | undefined;
  /**
   * A new one-time link (`<baseUrl>/setup#<token>`, 30 minutes) for the first administrator; undefined when there is one.
   * Ends the link made before. Audited.
   */
  setupLink(actor: Actor, baseUrl: string): Promise<IssuedLink | undefined>;
  /** Management of users, for the command line; the routes use the same. */
  readonly users: Users;
  /** The user with this e-mail address (any case), for the command line. */
  findUserByEmail(email: string): Promise<{ readonly id: UserId } | undefined>;
  /** The actor's organisation. The operator's is the only one; before set-up it is made, and set-up gives it its name. */
  organisationFor(actor: Actor): Promise<OrganisationId>;
  /** The organisation over all others, whose people see every client; undefined while nobody has set Careseal up. */
  centralOrganisation(): Promise<OrganisationId | undefined>;
  /** The policy of signing in, for the command line; the page uses the same. */
  readonly policy: Policy;
  /** Networks of a door or a role. Throws `policy-refused` for what is no network, or `network-would-lock-out`. */
  setNetworks: Policy['setNetworks'];
  /** Exceptions from a required second factor, and notices, for the command line; the pages use the same. */
  readonly exceptions: Exceptions;
  readonly notices: Notices;
  /** A further organisation, for the command line; the page uses the same. */
  addOrganisation: Organisations['add'];
  /** Throws `network-refused` where the nodes' door is not open to this address (allow-list of networks). */
  admitNodeNetwork(address: string | undefined): Promise<void>;
  /** Whether the user of work that goes on in the background may still do this, asked of the database now. */
  stillMay(principal: Principal, permission: Permission): Promise<boolean>;
  /** Active people who may do this in every organisation, by name. */
  everywhere(permission: Permission): Promise<readonly FarReaching[]>;
  /** Living sessions of a user, for the command line. */
  sessionsOf(id: UserId): Promise<Session[]>;
  /** Names of those that are there. */
  organisationNames(ids: readonly OrganisationId[]): Promise<ReadonlyMap<OrganisationId, string>>;
  /** How many emergency accesses wait for this principal's review. */
  emergenciesWaiting(principal: Principal): Promise<number>;
  /** Who belongs to which organisation. */
  readonly directory: Directory;
  readonly routes: readonly RouteDeclaration[];
  /** Identity's part in key rotations. */
  readonly resealParticipants: readonly ResealParticipant[];
  /** Listens for the end of people's access in other processes and clears away what has expired, hourly. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Deletes what has expired: sessions, half-done sign-ins, links, idle counters. `start()` does it hourly. */
  housekeep(): Promise<void>;
}

const NO_MAIL_STATUS = async () => ({ configured: false, waiting: 0, givenUp: 0 });

/** An organisation that set-up will name: for whoever loads clients or adds nodes from the command line first. */
async function foundUnnamed({ database, organisations, clock }: IdentityParts): Promise<OrganisationId> {
  return await database.transaction(async (tx) => {
    await lockAdministrators(tx);
    const present = await organisations.first(tx);
    if (present !== undefined) return present.id;
    const id = newId<OrganisationId>();
    await organisations.insert(tx, { id, name: '' }, clock.nowMs());
    return id;
  });
}

/** It never changes once it is there, so it is asked for until then and remembered. */
function createCentral({ database, organisations }: IdentityParts): () => Promise<OrganisationId | undefined> {
  let known: OrganisationId | undefined;
  return async () => (known ??= (await organisations.first(database))?.id);
}

/** A token is as welcome from a network as a session of the same person would be. */
async function byToken(
  { policy }: IdentityParts,
  tokens: PersonalTokens,
  sent: { readonly authorization: string; readonly address: string | undefined },
): Promise<Principal> {
  const principal = await tokens.authenticate(sent.authorization);
  return principal !== undefined && policy.isNetworkAllowed('users', sent.address, principal) ? principal : ANONYMOUS;
}

/** What doors and work in the background ask. */
function lookups({ policy, users, database }: IdentityParts): Pick<Identity, 'admitNodeNetwork' | 'stillMay'> {
  return {
    async admitNodeNetwork(address) {
      await policy.refresh();
      if (!policy.isNetworkAllowed('nodes', address)) throw networkRefused();
    },
    async stillMay(principal, permission) {
      if (principal.kind !== 'user') return true;
      const account = await users.find(database, principal.userId);
      if (account?.state !== 'active') return false;
      const session = { id: principal.sessionId, authenticatedAtMs: 0 };
      const now = makePrincipal(account, { ...session, acting: principal.organisationId });
      return now.permissions.has(permission);
    },
  };
}

/** Factors, resets, the policy, and what administrators see of other people's sign-in. */
function signInManagementRoutes(
  parts: IdentityParts,
  deps: IdentityDeps,
  { users, exceptions, notices }: { readonly users: Users; readonly exceptions: Exceptions; readonly notices: Notices },
): RouteDeclaration[] {
  const factors = createOwnFactors({ ...parts.signIn, ...parts });
  const bans = createBans(parts);
  return [
    ...factorRoutes({ factors, stepUp: createStepUp(parts.signIn) }),
    ...resetRoutes({
      passwordReset: createPasswordReset({ ...parts.signIn, ...parts, onFailure: deps.onHousekeepingFailure }),
      factorReset: createFactorReset({ ...parts.signIn, ...parts }),
      changePassword: (request) => changeOwnPassword({ ...parts.signIn, ...parts }, request),
    }),
    ...policyRoutes({ parts, exceptions, bans, mailStatus: deps.mailStatus ?? NO_MAIL_STATUS }),
    ...peopleRoutes({ parts, users, factors, notices }),
  ];
}

export function createIdentity(deps: IdentityDeps): Identity {
  const { database } = deps;
  const parts = composeParts(deps);
  const { sessions, users, organisations, enrolment } = parts;
  const management = createUsers(enrolment);
  const background = createBackground(parts, deps);
  const tokens = createPersonalTokens(parts);
  const providers = createProviders({ ...parts.signIn, ...parts });
  const organisationManagement = createOrganisations(parts);
  const emergencies = createEmergencies(parts);
  const ownAccount = createOwnAccount(parts);
  const exceptions = createExceptions({ ...parts.signIn, ...parts });
  const notices = createNotices(parts);
  const central = createCentral(parts);
  const directory = createDirectory(parts);
  return {
    ...background,
    authenticateUser: async (cookieHeader, origin, authorization) =>
      authorization === undefined
        ? await sessions.authenticate(cookieHeader, origin.address)
        : await byToken(parts, tokens, { authorization, address: origin.address }),
    decideAccess: (principal, access, resource) =>
      decideAccess(principal, access, resource) ??
      stepUpRefusal(principal, access, { nowMs: deps.clock.nowMs(), settings: parts.settings }),
    setupLink: (actor, baseUrl) => issueSetupLink(enrolment, actor, baseUrl),
    users: management,
    policy: parts.policy,
    setNetworks: (actor, wanted) => setNetworks(parts, actor, wanted),
    exceptions,
    notices,
    ...lookups(parts),
    sessionsOf: (id) => sessions.ofUser(id),
    findUserByEmail: (email) => users.findByEmail(database, email.trim().toLowerCase()),
    async organisationFor({ principal }) {
      if (principal.kind === 'user' || principal.kind === 'node') return principal.organisationId;
      const organisation = await organisations.first(database);
      return organisation?.id ?? (await foundUnnamed(parts));
    },
    centralOrganisation: central,
    directory,
    everywhere: async (permission) => farReaching(parts, { directory, central: await central(), permission }),
    addOrganisation: (actor, wanted) => organisationManagement.add(actor, wanted),
    organisationNames: (ids) => organisations.names(database, ids),
    emergenciesWaiting: (principal) => emergencies.waiting(principal),
    routes: [
      ...ownRoutes(ownAccount),
      passwordCheckRoute(parts.choice),
      ...signInRoutes(parts.signIn),
      ...signInManagementRoutes(parts, deps, { users: management, exceptions, notices }),
      ...linkRoutes(enrolment),
      ...providerSignInRoutes(providers),
      ...providerRoutes(providers),
      ...providerAdministrationRoutes(providers),
      ...userRoutes(management),
      ...organisationRoutes(organisationManagement),
      organisationChoicesRoute(organisationManagement),
      ...roleRoutes(createRoles(parts)),
      ...accessReviewRoutes(createAccessReview(parts)),
      ...emergencyRoutes(emergencies),
      ...personalTokenRoutes(tokens, ownAccount),
      ...tokenAdministrationRoutes(tokens, management),
    ],
    resealParticipants: createResealParticipants(parts.sealing),
  };
}
