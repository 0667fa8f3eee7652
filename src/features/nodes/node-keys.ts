import type { Actor } from '../../kernel/principal.ts';
import { knownScopes } from './authenticate.ts';
import { parseJwks, type ClientKeys } from './client-keys.ts';
import { assertMayGive } from './giving.ts';
import type { WhichNode } from './node-reader.ts';
import { assertLiving, type Changed, changeNode, type NodeParts } from './parts.ts';

/** The public keys by which a node signs its requests for tokens. */
export interface NodeKeys {
  /** Either the keys themselves (JWKS, JSON), or an address to fetch them from, or neither. Throws `keys-unusable`, `outbound-forbidden`. */
  set(
    actor: Actor,
    which: WhichNode,
    keys: { readonly jwks?: string | undefined; readonly jwksUrl?: string | undefined },
  ): Promise<Changed>;
}

export function createNodeKeys(parts: NodeParts, clientKeys: ClientKeys): NodeKeys {
  return {
    async set(actor, which, { jwks, jwksUrl }) {
      const document = jwks === undefined ? null : JSON.stringify(parseJwks(jwks));
      if (jwksUrl !== undefined) clientKeys.assertAllowed(jwksUrl);
      return changeNode(parts, { actor, which }, async (tx, row) => {
        assertLiving(parts, row);
        assertMayGive(actor.principal, knownScopes(row.scopes), row.organisation_id);
        await parts.writing.writeNode(tx, { ...row, jwks: document, jwks_url: jwksUrl ?? null });
        const kind = document !== null ? 'uploaded' : jwksUrl !== undefined ? 'by address' : 'none';
        return { event: 'node.keys', detail: { node: row.name, keys: kind } };
      });
    },
  };
}
