import type { AuditDeps } from '../features/audit/index.ts';
import type { Connection } from '../platform/db/index.ts';
import type { RootKeyPlace } from './root-key.ts';

/** What the sequencer's thread is started with. */
export interface SequencerData {
  readonly root: RootKeyPlace;
  readonly connection: Connection;
  readonly source: AuditDeps['source'];
}

export type FromSequencer =
  | { readonly kind: 'started' | 'stopped' }
  | { readonly kind: 'failure'; readonly code: Parameters<AuditDeps['onFailure']>[0]; readonly error: unknown };
