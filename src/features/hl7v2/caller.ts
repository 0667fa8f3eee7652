import type { Actor, NodePrincipal } from '../../kernel/principal.ts';
import type { RegistryCore } from '../registry/index.ts';
import type { Hl7Deps } from './deps.ts';

/** Who sent a message, and the registry as they see it. */
export interface Caller {
  readonly deps: Hl7Deps;
  readonly actor: Actor;
  readonly principal: NodePrincipal;
  readonly registry: RegistryCore;
}
