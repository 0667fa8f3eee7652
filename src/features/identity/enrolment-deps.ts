import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/sql.ts';
import type { Audit } from '../audit/index.ts';
import type { CredentialStore } from './credential-store.ts';
import type { LinkStore } from './link-store.ts';
import type { IdentitySettings } from './model.ts';
import type { OrganisationStore } from './organisation-store.ts';
import type { PasswordChoice } from './password-choice.ts';
import type { Policy } from './policy.ts';
import type { Sealing } from './sealing.ts';
import type { Sessions } from './sessions.ts';
import type { MailOut } from './tell-user.ts';
import type { Throttle } from './throttle.ts';
import type { UserStore } from './user-store.ts';

/** What one-time links and the enrolment behind them work with. */
export interface EnrolmentDeps {
  readonly database: Database;
  readonly users: UserStore;
  readonly organisations: OrganisationStore;
  readonly credentials: CredentialStore;
  readonly links: LinkStore;
  readonly sessions: Sessions;
  readonly throttle: Throttle;
  readonly policy: Policy;
  readonly mail: MailOut;
  readonly choice: PasswordChoice;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly settings: IdentitySettings;
  readonly sealing: Sealing;
}
