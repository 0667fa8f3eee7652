import { sealedAtRest } from '../../crypto/index.ts';
import { z } from 'zod';
import { NODE_SCOPES, type NodeScope } from '../../kernel/access.ts';
import { fromBase64Url, toBase64Url, utf8Decode, utf8Encode } from '../../kernel/bytes.ts';
import type { NodeId } from '../../kernel/ids.ts';
import type { NodePrincipal } from '../../kernel/principal.ts';
import { isProblem } from '../../kernel/problem.ts';
import type { Clock } from '../../kernel/time.ts';
import type { KeyRing } from '../../store/index.ts';
import { nodeProblem } from './errors.ts';
import type { Registration } from './model.ts';
import { nodePermissions } from './rules.ts';

/** Seconds. Short, so that a token that is no use without its key is no use for long either. */
export const TOKEN_SECONDS = 300;

/**
 * Access tokens: sealed by this installation's keys, opaque to everybody else, and bound to the certificate of the connection
 * they were given on (RFC 8705 §3). They only narrow what the certificate gives: a token by itself opens nothing.
 */
export interface AccessTokens {
  issue(node: NodePrincipal, interactions: readonly NodeScope[]): string;
  /** The principal of a request: narrowed by its token where it has one. Throws `token-invalid`. */
  narrow(registration: Registration, authorization: string | undefined): NodePrincipal;
}

const PREFIX = 'cs1.';
const PLACE = { table: 'nodes.token', type: 'access', id: 'bearer', version: 1 };
const claimsSchema = z.strictObject({
  node: z.string(),
  certificate: z.string(),
  scopes: z.array(z.enum(NODE_SCOPES)),
  endsAtMs: z.number(),
});

export function createAccessTokens({
  keyRing,
  clock,
}: {
  readonly keyRing: KeyRing;
  readonly clock: Clock;
}): AccessTokens {
  function open(token: string): z.infer<typeof claimsSchema> | undefined {
    const sealed = token.startsWith(PREFIX) ? fromBase64Url(token.slice(PREFIX.length)) : undefined;
    if (sealed === undefined) return undefined;
    try {
      return claimsSchema.parse(JSON.parse(utf8Decode(keyRing.open(sealedAtRest(sealed), PLACE))));
    } catch (error) {
      // Anything that is no token of ours. A key that was destroyed by a rotation sealed tokens that have ended long ago.
      if (isProblem(error) && error.code !== 'seal-broken' && error.code !== 'key-unknown') throw error;
      return undefined;
    }
  }

  return {
    issue({ nodeId, certificateSha256 }, interactions) {
      const endsAtMs = clock.nowMs() + TOKEN_SECONDS * 1_000;
      const claims = { node: nodeId, certificate: certificateSha256, scopes: [...interactions], endsAtMs };
      return PREFIX + toBase64Url(keyRing.seal(utf8Encode(JSON.stringify(claims)), PLACE));
    },
    narrow({ principal, node }, authorization) {
      if (authorization === undefined) return node.token_required ? withoutToken(principal) : principal;
      const token = /^Bearer ([\w.~+/=-]{1,4096})$/i.exec(authorization)?.[1];
      const claims = token === undefined ? undefined : open(token);
      if (claims === undefined) throw invalid('This access token was not issued here, or was changed since.');
      if (claims.endsAtMs <= clock.nowMs()) throw invalid('This access token has ended. Ask for a new one.');
      if (claims.node !== (principal.nodeId satisfies NodeId))
        throw invalid(
          `This access token was issued to another node than "${principal.name}", which this connection's certificate belongs to.`,
        );
      if (claims.certificate !== principal.certificateSha256)
        throw invalid(
          'This access token is bound to another certificate than the one of this connection. Ask for a new one.',
        );
      const scopes = claims.scopes.filter((scope) => principal.scopes.has(scope));
      return { ...principal, scopes: new Set(scopes), permissions: nodePermissions(scopes) };
    },
  };
}

/** May fetch a token, renew its certificate, and nothing else. */
function withoutToken(principal: NodePrincipal): NodePrincipal {
  return { ...principal, scopes: new Set(), lacksToken: true };
}

function invalid(text: string) {
  return nodeProblem('unauthenticated', 'token-invalid', text);
}
