import { errors, jwtVerify } from 'jose';
import { sha256 } from '../../crypto/index.ts';
import { utf8Encode } from '../../kernel/bytes.ts';
import type { Actor, NodePrincipal } from '../../kernel/principal.ts';
import { isProblem } from '../../kernel/problem.ts';
import type { AuditReceipt } from '../../platform/http/index.ts';
import { type AccessTokens, TOKEN_SECONDS } from './access-token.ts';
import { knownScopes } from './authenticate.ts';
import type { ClientKeys } from './client-keys.ts';
import { assertIntact, nodeEvent, type NodeParts } from './parts.ts';
import type { NodeRow } from './rows.ts';
import { FIND_NODE_BY_ID } from './store.ts';
import { grantScopes } from './token-scopes.ts';
import { USE_ASSERTION } from './trust-store.ts';

/** RFC 6749 §5: what went wrong, in OAuth's words, and in plain ones. */
export interface TokenRefusal {
  readonly error: 'invalid_request' | 'invalid_client' | 'unsupported_grant_type' | 'invalid_scope';
  readonly error_description: string;
}

export interface TokenAnswer {
  readonly access_token: string;
  readonly token_type: 'bearer';
  readonly expires_in: number;
  readonly scope: string;
}

/** SMART Backend Services: client credentials with a signed assertion (RFC 7523), on a connection with the node's certificate. */
export interface TokenEndpoint {
  answer(
    actor: Actor,
    form: URLSearchParams,
  ): Promise<{
    readonly status: 200 | 400 | 401;
    readonly body: TokenAnswer | TokenRefusal;
    readonly audited: AuditReceipt;
  }>;
}

interface EndpointDeps {
  readonly parts: NodeParts;
  readonly tokens: AccessTokens;
  readonly keys: ClientKeys;
  readonly tokenUrl: string;
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** Signatures with a key pair only: `none` and shared secrets are not among them. */
const ALGORITHMS = ['ES256', 'ES384', 'RS384', 'RS256', 'PS256', 'PS384', 'EdDSA', 'Ed25519'];
/** SMART: at most five minutes ahead. */
const AHEAD_MAX_S = 300;
const SKEW_S = 30;

class Refused extends Error {
  readonly error: TokenRefusal['error'];
  constructor(error: TokenRefusal['error'], text: string) {
    super(text);
    this.error = error;
  }
}

export function createTokenEndpoint(deps: EndpointDeps): TokenEndpoint {
  const { parts, tokens } = deps;
  const { clock, database, audit } = parts;

  async function answer(actor: Actor, form: URLSearchParams) {
    const node = actor.principal;
    if (node.kind !== 'node') throw new Error('The token endpoint is on the nodes’ door, which admits nodes alone.');
    try {
      const granted = await grant(node, form);
      const interactions = [...new Set(granted.flatMap((scope) => scope.interactions))];
      const scope = granted.map(({ text }) => text).join(' ');
      const audited = await audit.recordNow([
        nodeEvent(actor, node.nodeId, { event: 'token.issue', action: 'E', detail: { scope } }),
      ]);
      const body = {
        access_token: tokens.issue(node, interactions),
        token_type: 'bearer',
        expires_in: TOKEN_SECONDS,
        scope,
      } as const;
      return { status: 200, body, audited } as const;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const event = nodeEvent(actor, node.nodeId, { event: 'token.issue', action: 'E', reason: error.message });
      const audited = await audit.recordNow([{ ...event, outcome: 'minor-failure' }]);
      const body = { error: error.error, error_description: error.message };
      return { status: error.error === 'invalid_client' ? 401 : 400, body, audited } as const;
    }
  }

  async function grant(node: NodePrincipal, form: URLSearchParams) {
    const repeated = [...new Set(form.keys())].find((name) => form.getAll(name).length > 1);
    if (repeated !== undefined) throw new Refused('invalid_request', 'A parameter is given twice.');
    if (form.get('grant_type') !== 'client_credentials')
      throw new Refused('unsupported_grant_type', 'grant_type must be client_credentials.');
    if (form.get('client_assertion_type') !== ASSERTION_TYPE)
      throw new Refused('invalid_request', `client_assertion_type must be ${ASSERTION_TYPE}.`);
    const [row] = await database.rows(FIND_NODE_BY_ID, [node.nodeId]);
    if (row === undefined) throw new Error('An authenticated node is not there.');
    assertIntact(parts, row);
    await verifyAssertion(row, form.get('client_assertion') ?? '');
    // What the node has, not what this request's own token left of it.
    const own = new Set(knownScopes(row.scopes));
    const granted = grantScopes(form.get('scope') ?? '', own);
    if (granted.length === 0)
      throw new Refused(
        'invalid_scope',
        `None of the scopes asked for is given to the node "${row.name}". It has: ${[...own].join(', ')}.`,
      );
    return granted;
  }

  async function verifyAssertion(row: NodeRow, assertion: string): Promise<void> {
    const { jti, exp } = await verified(deps, row, assertion);
    if (typeof jti !== 'string' || jti === '') throw new Refused('invalid_client', 'The assertion has no jti.');
    if (exp === undefined || exp > clock.nowMs() / 1_000 + AHEAD_MAX_S + SKEW_S)
      throw new Refused('invalid_client', 'The assertion must end (exp) within five minutes.');
    const hash = sha256(utf8Encode(JSON.stringify([row.id, jti])));
    const ends = new Date((exp + 2 * SKEW_S) * 1_000);
    const fresh = await database.rows(USE_ASSERTION, [hash, ends]);
    if (fresh.length === 0)
      throw new Refused('invalid_client', 'This assertion (jti) was used before. Make a new one for each request.');
  }

  return { answer };
}

async function verified({ parts, keys, tokenUrl }: EndpointDeps, row: NodeRow, assertion: string) {
  const options = {
    issuer: row.id,
    subject: row.id,
    audience: tokenUrl,
    algorithms: ALGORITHMS,
    clockTolerance: SKEW_S,
    currentDate: new Date(parts.clock.nowMs()),
    requiredClaims: ['exp', 'jti', 'aud', 'iss', 'sub'],
  };
  for (const again of [false, true]) {
    try {
      const { payload } = await jwtVerify(assertion, await keys.of(row, again), options);
      return payload;
    } catch (error) {
      // A node that changed its keys has them at its address already, maybe.
      if (error instanceof errors.JWKSNoMatchingKey && !again) continue;
      throw refusalOf(error, row, tokenUrl);
    }
  }
  throw new Error('unreachable');
}

function refusalOf(error: unknown, row: NodeRow, tokenUrl: string): unknown {
  if (isProblem(error)) return new Refused('invalid_client', error.publicDetail);
  if (!(error instanceof errors.JOSEError)) return error;
  return new Refused(
    'invalid_client',
    REASONS[error.code]?.({ row, tokenUrl, error }) ?? 'The assertion is not a signed JWT that this server can read.',
  );
}

interface ReasonFacts {
  readonly row: NodeRow;
  readonly tokenUrl: string;
  readonly error: errors.JOSEError;
}

/** jose's codes in plain words; its messages name claims, never values. */
const REASONS: Readonly<Record<string, (facts: ReasonFacts) => string>> = {
  ERR_JWT_EXPIRED: () => 'The assertion has ended (exp).',
  ERR_JWT_CLAIM_VALIDATION_FAILED: ({ row, tokenUrl, error }) =>
    `The claim "${error instanceof errors.JWTClaimValidationFailed ? error.claim : ''}" is not right. iss and sub must be ${row.id}, aud must be ${tokenUrl}, exp and jti must be there.`,
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: ({ row }) =>
    `The signature does not fit the registered key of the node "${row.name}".`,
  ERR_JWKS_NO_MATCHING_KEY: ({ row }) => `The node "${row.name}" has no registered key of this kid and algorithm.`,
  ERR_JOSE_ALG_NOT_ALLOWED: () => `The algorithm must be one of ${ALGORITHMS.join(', ')}.`,
};
