import { newId } from '../../crypto/index.ts';
import type { OrganisationId, UserId } from '../../kernel/ids.ts';
import type { Actor, Principal, RequestOrigin } from '../../kernel/principal.ts';
import type { Problem } from '../../kernel/problem.ts';
import type { Access, RouteDeclaration } from '../../platform/http/route.ts';
import type { ResealParticipant } from '../../store/index.ts';
import { decideAccess, type ResourceClaim, stepUpRefusal } from './access.ts';
import { lockAdministrators } from './administrators.ts';
import { createBackground } from './background.ts';
import { factorRoutes } from './factor-routes.ts';
import { createFactorReset } from './factor-reset.ts';
import { createOwnFactors } from './own-factors.ts';
import { changeOwnPassword } from './own-password.ts';
import { createPasswordReset } from './password-reset.ts';
import { resetRoutes } from './reset-routes.ts';
import { createStepUp } from './step-up.ts';
import { composeParts, type IdentityDeps, type IdentityParts } from './compose.ts';
import { linkRoutes } from './link-routes.ts';
import { type IssuedLink, issueSetupLink } from './links.ts';
import { createOwnAccount } from './own-account.ts';
import { ownRoutes } from './own-routes.ts';
import { createResealParticipants } from './reseal.ts';
import { passwordCheckRoute, signInRoutes } from './sign-in-routes.ts';
import { userRoutes } from './user-routes.ts';
import { createUsers, type Users } from './users.ts';

export type { ResourceClaim } from './access.ts';
/** What identity is made of; see compose.ts for the defaults. */
export type { IdentityDeps } from './compose.ts';
export { readUserFigures, type UserFigures } from './figures.ts';
export type { IssuedLink } from './links.ts';
/** Refusals that the command line makes itself. */
export { setUpDone, userUnknown } from './errors.ts';
export { IdentitySettings } from './model.ts';
/** Every permission: the operator at the command line, and Careseal's own jobs. */
export { ALL_PERMISSIONS } from './rules.ts';
/** Users and links as JSON, for the command line's `--json`. */
export { userEntry, userLinkAnswer } from './user-routes.ts';
export type { ChangeUser } from './user-acts.ts';
export type { UserOutcome, Users } from './users.ts';
/** The one place where access is decided; see access.ts. Also on `Identity`. */
export { decideAccess };

/** People who sign in: organisations, users, sessions, and the one decision about access. */
export interface Identity {
  /**
   * The principal of a request to the users' door: the user of the session cookie, or anonymous. Never throws for a bad
   * cookie. A session seen within the last second costs microseconds, another one a single query.
   */
  authenticateUser(cookieHeader: string | undefined, origin: RequestOrigin): Promise<Principal>;
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
  readonly routes: readonly RouteDeclaration[];
  /** Identity's part in key rotations. */
  readonly resealParticipants: readonly ResealParticipant[];
  /** Listens for the end of people's access in other processes and clears away what has expired, hourly. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Deletes what has expired: sessions, half-done sign-ins, links, idle counters. `start()` does it hourly. */
  housekeep(): Promise<void>;
}

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

export function createIdentity(deps: IdentityDeps): Identity {
  const { database } = deps;
  const parts = composeParts(deps);
  const { sessions, users, organisations, enrolment } = parts;
  const management = createUsers(enrolment);
  const background = createBackground(parts, deps);
  return {
    ...background,
    authenticateUser: (cookieHeader, origin) => sessions.authenticate(cookieHeader, origin.address),
    decideAccess: (principal, access, resource) =>
      decideAccess(principal, access, resource) ??
      stepUpRefusal(principal, access, { nowMs: deps.clock.nowMs(), settings: parts.settings }),
    setupLink: (actor, baseUrl) => issueSetupLink(enrolment, actor, baseUrl),
    users: management,
    findUserByEmail: (email) => users.findByEmail(database, email.trim().toLowerCase()),
    async organisationFor({ principal }) {
      if (principal.kind === 'user' || principal.kind === 'node') return principal.organisationId;
      const organisation = await organisations.first(database);
      return organisation?.id ?? (await foundUnnamed(parts));
    },
    centralOrganisation: createCentral(parts),
    routes: [
      ...ownRoutes(createOwnAccount(parts)),
      passwordCheckRoute(parts.choice),
      ...signInRoutes(parts.signIn),
      ...factorRoutes({ factors: createOwnFactors({ ...parts.signIn, ...parts }), stepUp: createStepUp(parts.signIn) }),
      ...resetRoutes({
        passwordReset: createPasswordReset({ ...parts.signIn, ...parts, onFailure: deps.onHousekeepingFailure }),
        factorReset: createFactorReset({ ...parts.signIn, ...parts }),
        changePassword: (request) => changeOwnPassword({ ...parts.signIn, ...parts }, request),
      }),
      ...linkRoutes(enrolment),
      ...userRoutes(management),
    ],
    resealParticipants: createResealParticipants(parts.sealing),
  };
}
