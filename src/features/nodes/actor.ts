import type { Actor } from '../../kernel/principal.ts';

/** Careseal's own doing, for the audit log. */
export function bySystem(requestId: string): { readonly actor: Actor } {
  return {
    actor: { principal: { kind: 'system', permissions: new Set() }, origin: { door: 'background', requestId } },
  };
}
