import { createPasswordHasher, type PasswordHasher } from '../../crypto/index.ts';
import type { OrganisationId, UserId } from '../../kernel/ids.ts';
import type { Actor, Principal, RequestOrigin } from '../../kernel/principal.ts';
import type { Problem } from '../../kernel/problem.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import type { Access, RouteDeclaration } from '../../platform/http/route.ts';
import type { KeyRing, ResealParticipant } from '../../store/index.ts';
import type { Audit } from '../audit/index.ts';
import { decideAccess, type ResourceClaim } from './access.ts';
import { createCommonPasswords } from './common-passwords.ts';
import { createCredentialStore } from './credential-store.ts';
import { createEnrolment, type IssuedLink } from './enrolment.ts';
import { setUpFirst } from './errors.ts';
import { createLinkStore } from './link-store.ts';
import { DEFAULT_IDENTITY_SETTINGS, type IdentitySettings } from './model.ts';
import { createOwnAccount } from './own-account.ts';
import { createPasswordChoice } from './password-choice.ts';
import { createResealParticipants } from './reseal.ts';
import { linkRoutes, signInRoutes } from './routes.ts';
import { createSealing } from './sealing.ts';
import { createSessionStore } from './session-store.ts';
import { createSessions, IDENTITY_CHANNEL } from './sessions.ts';
import { createSignIn } from './sign-in.ts';
import { createThrottle } from './throttle.ts';
import { userRoutes } from './user-routes.ts';
import { createUserStore } from './user-store.ts';
import { createUsers, type Users } from './users.ts';

export type { ResourceClaim } from './access.ts';
export { readUserFigures, type UserFigures } from './figures.ts';
export type { IssuedLink } from './enrolment.ts';
/** Refusals that the command line makes itself. */
export { setUpDone, userUnknown } from './errors.ts';
export { DEFAULT_IDENTITY_SETTINGS, IdentitySettings, type User } from './model.ts';
/** Every permission: the operator at the command line, and Careseal's own jobs. */
export { ALL_PERMISSIONS } from './rules.ts';
/** Users and links as JSON, for the command line's `--json`. */
export { userEntry, userLinkAnswer } from './user-routes.ts';
export type { ChangeUser, UserOutcome } from './users.ts';
/** The one place where access is decided; see access.ts. Also on `Identity`. */
export { decideAccess };

export interface IdentityDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly audit: Audit;
  readonly clock: Clock;
  /** Default: DEFAULT_IDENTITY_SETTINGS. */
  readonly settings?: IdentitySettings;
  /** Default: Argon2id with a bounded queue, from crypto/. */
  readonly passwords?: PasswordHasher;
  /** Told when the hourly clearing of what has expired fails; nothing depends on it, and it is tried again. */
  readonly onHousekeepingFailure: (error: unknown) => void;
}

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
  /** The actor's organisation; the operator's is the only one. Throws Problem('conflict', 'set-up-first') when there is none. */
  organisationFor(actor: Actor): Promise<OrganisationId>;
  readonly routes: readonly RouteDeclaration[];
  /** Identity's part in key rotations. */
  readonly resealParticipants: readonly ResealParticipant[];
  /** Listens for the end of people's access in other processes and clears away what has expired, hourly. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Deletes what has expired: sessions, half-done sign-ins, links, idle counters. `start()` does it hourly. */
  housekeep(): Promise<void>;
}

const HOUSEKEEPING_MS = 3_600_000;

export function createIdentity(deps: IdentityDeps): Identity {
  const { database, keyRing, audit, clock } = deps;
  const settings = deps.settings ?? DEFAULT_IDENTITY_SETTINGS;
  const passwords = deps.passwords ?? createPasswordHasher();
  const sealing = createSealing(keyRing);
  const users = createUserStore(sealing);
  const credentials = createCredentialStore(sealing);
  const sessionStore = createSessionStore(sealing);
  const links = createLinkStore(sealing);
  const sessions = createSessions({ database, store: sessionStore, sealing, clock, settings });
  const throttle = createThrottle({ database, sealing, clock });
  const choice = createPasswordChoice({ passwords, settings, commonPasswords: createCommonPasswords() });
  const shared = { database, users, credentials, sessions, throttle, audit, clock, settings };
  const signIn = createSignIn({ ...shared, sessionStore, passwords });
  const enrolment = createEnrolment({ ...shared, links, choice });
  const management = createUsers({ ...shared, enrolment });
  const ownAccount = createOwnAccount({ ...shared, signIn });
  const forRoutes = { signIn, enrolment, ownAccount, choice, settings };

  async function housekeep(): Promise<void> {
    await sessionStore.deleteExpired(database, clock.nowMs());
    await links.deleteExpired(database, clock.nowMs());
    await throttle.housekeep();
  }

  const running: { stop(): Promise<void> }[] = [];
  return {
    authenticateUser: (cookieHeader) => sessions.authenticate(cookieHeader),
    decideAccess,
    setupLink: (actor, baseUrl) => enrolment.issueSetup(actor, baseUrl),
    users: management,
    findUserByEmail: (email) => users.findByEmail(database, email.trim().toLowerCase()),
    async organisationFor({ principal }) {
      if (principal.kind === 'user' || principal.kind === 'node') return principal.organisationId;
      const organisation = await users.firstOrganisation(database);
      if (organisation === undefined) throw setUpFirst();
      return organisation.id;
    },
    routes: [...signInRoutes(forRoutes), ...linkRoutes(forRoutes), ...userRoutes(management)],
    resealParticipants: createResealParticipants(sealing),
    async start() {
      // An empty payload says that notifications may have been missed.
      const unlisten = await database.listen(IDENTITY_CHANNEL, (userId) =>
        userId === '' ? sessions.dropAll() : sessions.dropUser(userId),
      );
      const timer = setInterval(() => void housekeep().catch(deps.onHousekeepingFailure), HOUSEKEEPING_MS);
      timer.unref();
      running.push({
        async stop() {
          clearInterval(timer);
          await unlisten();
        },
      });
    },
    housekeep,
    async stop() {
      for (const part of running.splice(0)) await part.stop();
    },
  };
}
