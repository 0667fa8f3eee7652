import type { Clock } from '../../kernel/time.ts';
import type { Audit } from '../audit/index.ts';
import type { Nodes } from '../nodes/index.ts';
import type { Aliases, IdentityRules, Registry } from '../registry/index.ts';

export interface Hl7Deps {
  readonly registry: Pick<Registry, 'as'>;
  readonly nodes: Pick<Nodes, 'authenticateNode' | 'domains'>;
  readonly aliases: Pick<Aliases, 'table'>;
  readonly identityRules: IdentityRules;
  readonly audit: Pick<Audit, 'recordNow' | 'recordRefusal'>;
  readonly clock: Clock;
  /** Also asked for each connection: the networks that an administrator allows at all. */
  readonly admitNetwork: (address: string | undefined) => Promise<void>;
  /** MSH-11 values that are taken: P; where nothing is real also T and D. */
  readonly processingIds: readonly string[];
  readonly onFailure: (error: unknown) => void;
}
