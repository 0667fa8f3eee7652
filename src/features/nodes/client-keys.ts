import { createLocalJWKSet, type JSONWebKeySet, type JWK } from 'jose';
import { z } from 'zod';
import { utf8Decode } from '../../kernel/bytes.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Outbound } from '../../platform/outbound/index.ts';
import { nodeProblem } from './errors.ts';

/** Public keys by which a node signs its token requests: uploaded, or fetched from an address of its own. */
export type KeySet = ReturnType<typeof createLocalJWKSet>;

const FRESH_MS = 300_000;
const TIMEOUT_MS = 5_000;
const BYTES_MAX = 65_536;
const ENTRIES_MAX = 1_000;

/** Public parts only: a private key in it (`d`) or a shared secret (`oct`) is refused by the strict shapes. */
const base = { kid: z.string().min(1).max(200), use: z.literal('sig').optional(), alg: z.string().max(20).optional() };
const more = {
  key_ops: z.array(z.string()).optional(),
  x5c: z.array(z.string()).optional(),
  x5t: z.string().optional(),
  'x5t#S256': z.string().optional(),
  ext: z.boolean().optional(),
};
const text = z
  .string()
  .regex(/^[\w-]+$/)
  .max(2_048);
const keySchema = z.discriminatedUnion('kty', [
  // 342 base64url letters: a modulus of 2048 bits.
  z.strictObject({ kty: z.literal('RSA'), n: text.min(342), e: text, ...base, ...more }),
  z.strictObject({
    kty: z.literal('EC'),
    crv: z.enum(['P-256', 'P-384', 'P-521']),
    x: text,
    y: text,
    ...base,
    ...more,
  }),
  z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: text, ...base, ...more }),
]);
const jwksSchema = z.object({ keys: z.array(keySchema).min(1).max(20) });

/** Reads a JWKS document; throws `keys-unusable` with the reason. */
export function parseJwks(document: string): JSONWebKeySet {
  let value: unknown;
  try {
    value = JSON.parse(document);
  } catch {
    throw unusable('it is not JSON');
  }
  const parsed = jwksSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw unusable(
      `${issue?.path.join('.') ?? ''}: ${issue?.code === 'unrecognized_keys' ? 'only public parts of keys may be given' : (issue?.message ?? '')}`,
    );
  }
  const kids = parsed.data.keys.map((key) => key.kid);
  if (new Set(kids).size !== kids.length) throw unusable('two keys have the same kid');
  return { keys: parsed.data.keys.map(publicPart) };
}

/** What verifying needs; certificates inside a key set are not looked at. */
function publicPart(key: z.infer<typeof keySchema>): JWK {
  const { kty, kid } = key;
  const alg = key.alg === undefined ? {} : { alg: key.alg };
  if (kty === 'RSA') return { kty, kid, ...alg, n: key.n, e: key.e };
  if (kty === 'EC') return { kty, kid, ...alg, crv: key.crv, x: key.x, y: key.y };
  return { kty, kid, ...alg, crv: key.crv, x: key.x };
}

export interface ClientKeys {
  /** `again`: the key asked for was not there; fetches anew unless that was done a moment ago. */
  of(node: { readonly jwks: string | null; readonly jwks_url: string | null }, again?: boolean): Promise<KeySet>;
  /** Refuses an address that must not be fetched from, before it is kept. */
  assertAllowed(url: string): void;
}

export function createClientKeys({
  outbound,
  clock,
}: {
  readonly outbound: Outbound;
  readonly clock: Clock;
}): ClientKeys {
  const fetched = new Map<string, { readonly atMs: number; readonly keys: Promise<KeySet> }>();

  async function fetchKeys(url: string): Promise<KeySet> {
    const answer = await outbound.request({ method: 'GET', url, timeoutMs: TIMEOUT_MS, answerBytesMax: BYTES_MAX });
    if (answer.status !== 200) throw unusable(`its address answered with status ${answer.status}`);
    return createLocalJWKSet(parseJwks(utf8Decode(answer.body)));
  }

  function atUrl(url: string, again: boolean): Promise<KeySet> {
    const nowMs = clock.nowMs();
    const known = fetched.get(url);
    const freshMs = again ? FRESH_MS / 10 : FRESH_MS;
    if (known !== undefined && nowMs >= known.atMs && nowMs - known.atMs < freshMs) return known.keys;
    if (fetched.size >= ENTRIES_MAX) fetched.clear();
    const keys = fetchKeys(url);
    fetched.set(url, { atMs: nowMs, keys });
    keys.catch(() => {
      if (fetched.get(url)?.keys === keys) fetched.delete(url);
    });
    return keys;
  }

  return {
    async of({ jwks, jwks_url: url }, again = false) {
      if (jwks !== null) return createLocalJWKSet(parseJwks(jwks));
      if (url !== null) return atUrl(url, again);
      throw unusable('this node has none yet; an administrator gives them on its page');
    },
    assertAllowed: (url) => outbound.assertAllowed(url),
  };
}

function unusable(why: string) {
  return nodeProblem('unprocessable', 'keys-unusable', `The node's key set (JWKS) cannot be used: ${why}.`);
}
