import { createPasswordHasher, type PasswordHasher } from '../../crypto/index.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import type { KeyRing } from '../../store/index.ts';
import type { Audit } from '../audit/index.ts';
import { createChallengeStore } from './challenge-store.ts';
import { reportChangedRows } from './changed-rows.ts';
import { createCommonPasswords } from './common-passwords.ts';
import { createCredentialBook } from './credential-book.ts';
import { createCredentialStore } from './credential-store.ts';
import type { EnrolmentDeps } from './enrolment-deps.ts';
import { createLinkStore } from './link-store.ts';
import { DEFAULT_IDENTITY_SETTINGS, type IdentitySettings } from './model.ts';
import { createOrganisationStore } from './organisation-store.ts';
import { createPasskeyStore } from './passkey-store.ts';
import { createPasskeys } from './passkeys.ts';
import { createPasswordChoice } from './password-choice.ts';
import { createPolicy } from './policy.ts';
import type { BoundMark } from './row-binding.ts';
import { createSealing } from './sealing.ts';
import { createSessionStore } from './session-store.ts';
import { createSessions } from './sessions.ts';
import type { SignInDeps } from './sign-in.ts';
import { type MailOut, NO_MAIL } from './tell-user.ts';
import { createThrottle } from './throttle.ts';
import { createTrustedDeviceStore } from './trusted-device-store.ts';
import { createTrustedDevices } from './trusted-devices.ts';
import { createUserStore } from './user-store.ts';
import type { PolicyAnswer } from './wire-policy.ts';

export interface IdentityDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly audit: Audit;
  readonly clock: Clock;
  /** How many processes serve people beside each other; default: one. */
  readonly processes?: number;
  /** What the policy starts from; default: DEFAULT_IDENTITY_SETTINGS. */
  readonly settings?: IdentitySettings;
  /** platform/mail; default: none is set up. */
  readonly mail?: MailOut;
  /** For the policy's page. */
  readonly mailStatus?: () => Promise<PolicyAnswer['mail']>;
  /** Default: Argon2id with a bounded queue, from crypto/. */
  readonly passwords?: PasswordHasher;
  /**
   * Whether the rows of this installation carry bindings already; kept where a writer of the database cannot reach. Without it
   * (tests) nothing is bound afterwards.
   */
  readonly bound?: BoundMark;
  /** Told when the hourly clearing of what has expired fails; nothing depends on it, and it is tried again. */
  readonly onHousekeepingFailure: (error: unknown) => void;
}

/** Identity's parts, each made once and shared. */
export type IdentityParts = ReturnType<typeof composeParts>;

export function composeParts({ database, keyRing, audit, clock, ...given }: IdentityDeps) {
  const sealing = createSealing(keyRing);
  const defaults = given.settings ?? DEFAULT_IDENTITY_SETTINGS;
  const policy = createPolicy({ database, sealing, audit, clock, defaults });
  const { settings } = policy;
  reportChangedRows(sealing.rows, { audit, clock, onFailure: given.onHousekeepingFailure });
  const mail = given.mail ?? NO_MAIL;
  const passwords = given.passwords ?? createPasswordHasher();
  const sessionStore = createSessionStore(sealing);
  const book = createCredentialBook(sealing);
  const passkeyStore = createPasskeyStore(sealing, book);
  const challenges = createChallengeStore(sealing);
  const shared = {
    database,
    audit,
    clock,
    settings,
    policy,
    sealing,
    mail,
    passkeyStore,
    challenges,
    passkeys: createPasskeys({ store: passkeyStore, challenges, clock }),
    trusted: createTrustedDevices({ store: createTrustedDeviceStore(sealing), clock, settings }),
    book,
    users: createUserStore(sealing, book),
    organisations: createOrganisationStore(sealing),
    credentials: createCredentialStore(sealing, book),
    sessions: createSessions({ database, store: sessionStore, sealing, clock, settings, policy }),
    throttle: createThrottle({
      ...{ database, sealing, clock, settings, processes: given.processes },
      async onBan(tx, failures) {
        const detail = { failures: String(failures) };
        await audit.record(tx, [
          { actor: SYSTEM, event: 'sign-in.banned', action: 'E', outcome: 'serious-failure', detail },
        ]);
      },
    }),
  };
  const links = createLinkStore(sealing);
  const choice = createPasswordChoice({ passwords, settings, commonPasswords: createCommonPasswords() });
  const signIn: SignInDeps = { ...shared, passwords };
  const enrolment: EnrolmentDeps = { ...shared, links, choice };
  return { ...shared, sessionStore, links, choice, signIn, enrolment };
}

/** Careseal itself: no request is to blame alone for what many did. */
const SYSTEM: Actor = {
  principal: { kind: 'system', permissions: new Set() },
  origin: { door: 'background', requestId: 'throttle' },
};
