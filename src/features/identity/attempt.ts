import type { Clock } from '../../kernel/time.ts';
import type { Database, Transaction } from '../../platform/db/sql.ts';
import type { IdentitySettings } from './model.ts';
import type { Sealing } from './sealing.ts';
import type { Slot } from './under-way.ts';

/** One guess: at which secret, of whom, and through which browser and network. */
export interface Attempt {
  readonly stage: 'password' | 'factor';
  /** Lower case, whether it has an account or not. */
  readonly email: string;
  /** Set when this browser has signed in to this account before. */
  readonly knownDevice: Uint8Array | undefined;
  readonly address: string | undefined;
  /** Counts for the network while it is compared, so that the network's row need not; of `Throttle.underWay`. */
  readonly slot?: Slot | undefined;
}

/** What throttling works with. */
export interface ThrottleDeps {
  readonly database: Database;
  readonly sealing: Sealing;
  readonly clock: Clock;
  readonly settings: Pick<IdentitySettings, 'attemptsFree'>;
  /** How many serve beside each other: what each has under way counts for as many. */
  readonly processes?: number | undefined;
  /** Told of a network that must wait for long, in the transaction that decided it. */
  readonly onBan: (tx: Transaction, failures: number) => Promise<void>;
}
