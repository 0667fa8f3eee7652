import * as client from 'openid-client';
import type { Clock } from '../../kernel/time.ts';
import { createOutbound, type Outbound } from '../../platform/outbound/index.ts';
import { isProblem } from '../../kernel/problem.ts';
import { type ProviderFault, providerAway, providerRefused } from './errors.ts';
import type { Provider, VisitFacts } from './provider-store.ts';

/** What a provider has proved of whoever came back from it. */
export interface Proved {
  readonly subject: string;
  /** How the provider authenticated the person (OpenID Connect Core §2). */
  readonly amr: readonly string[];
  readonly acr: string | undefined;
}

export interface ProviderClient {
  /** Asks the provider for its description, now; the address where people sign in. Throws `provider-away`, which says why. */
  check(provider: Provider): Promise<string>;
  /** Where the browser goes. Throws `provider-away`. */
  authorizationUrl(provider: Provider, visit: VisitFacts, state: string): Promise<string>;
  /**
   * Exchanges the code and verifies all there is to verify: state, `iss` (RFC 9207), PKCE, the ID token's signature, issuer,
   * audience, nonce and times. Throws `provider-refused`, whatever was wrong, or `provider-away`.
   */
  prove(
    provider: Provider,
    visit: VisitFacts,
    came: { readonly state: string; readonly parameters: URLSearchParams },
  ): Promise<Proved>;
}

const FRESH_MS = 600_000;
const TIMEOUT_SECONDS = 10;

/** OpenID Connect's code flow with PKCE, by openid-client, over our own way out. */
export function createProviderClient({ clock }: { readonly clock: Clock }): ProviderClient {
  const known = new Map<string, { readonly atMs: number; readonly configuration: Promise<client.Configuration> }>();

  /** The provider's own description of itself, read again every ten minutes and whenever our settings change. */
  function configurationOf(provider: Provider): Promise<client.Configuration> {
    const key = JSON.stringify([provider.issuer, provider.clientId, provider.clientSecret, provider.authority]);
    const nowMs = clock.nowMs();
    const found = known.get(key);
    if (found !== undefined && Math.abs(nowMs - found.atMs) < FRESH_MS) return found.configuration;
    const configuration = discover(provider);
    if (known.size > 50) known.clear();
    known.set(key, { atMs: nowMs, configuration });
    configuration.catch(() => known.delete(key));
    return configuration;
  }

  return {
    async check(provider) {
      const { authorization_endpoint } = (await discover(provider)).serverMetadata();
      if (authorization_endpoint === undefined) throw providerAway('no-provider', 'no authorization_endpoint');
      return authorization_endpoint;
    },
    async authorizationUrl(provider, visit, state) {
      const configuration = await configurationOf(provider);
      return client.buildAuthorizationUrl(configuration, {
        redirect_uri: visit.redirectUri,
        // Nothing of the person but who they are there: no name, no e-mail.
        scope: 'openid',
        code_challenge: await client.calculatePKCECodeChallenge(visit.codeVerifier),
        code_challenge_method: 'S256',
        state,
        nonce: visit.nonce,
      }).href;
    },
    async prove(provider, visit, { state, parameters }) {
      const configuration = await configurationOf(provider);
      const came = new URL(visit.redirectUri);
      came.search = parameters.toString();
      const claims = await client
        .authorizationCodeGrant(configuration, came, {
          expectedState: state,
          expectedNonce: visit.nonce,
          pkceCodeVerifier: visit.codeVerifier,
          idTokenExpected: true,
        })
        .then((tokens) => tokens.claims())
        .catch((error: unknown) => {
          throw providerRefused(reasonOf(error));
        });
      if (claims === undefined || claims.sub === '') throw providerRefused('no claims');
      const { amr, acr } = claims;
      return {
        subject: claims.sub,
        amr: Array.isArray(amr) ? amr.filter((one): one is string => typeof one === 'string') : [],
        acr: typeof acr === 'string' ? acr : undefined,
      };
    },
  };
}

async function discover(provider: Provider): Promise<client.Configuration> {
  // An administrator has set the address: a provider in the programme's own network is the usual one.
  const outbound = createOutbound({
    allowedNetworks: 'any',
    ...(provider.authority === undefined ? {} : { authoritiesPem: provider.authority }),
  });
  try {
    return await client.discovery(
      new URL(provider.issuer),
      provider.clientId,
      { client_secret: provider.clientSecret },
      client.ClientSecretBasic(provider.clientSecret),
      {
        [client.customFetch]: fetchOver(outbound),
        timeout: TIMEOUT_SECONDS,
        // Without it the signature of an ID token that came over TLS would go unchecked (OpenID Connect Core §3.1.3.7).
        execute: [client.enableNonRepudiationChecks],
      },
    );
  } catch (error) {
    throw providerAway(faultOf(error), reasonOf(error));
  }
}

/** What of all that went wrong an administrator can mend. */
function faultOf(error: unknown): ProviderFault {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (isProblem(at)) return OUTBOUND_FAULTS[at.code] ?? 'unreachable';
    const code = 'code' in at ? at.code : undefined;
    if (code === 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED') return 'other-issuer';
    if (code === 'OAUTH_TIMEOUT') return 'late';
  }
  return 'no-provider';
}

const OUTBOUND_FAULTS: Readonly<Record<string, ProviderFault>> = {
  'outbound-tls': 'certificate',
  'outbound-timeout': 'late',
  'outbound-too-large': 'no-provider',
};

/** The library's requests, made by our own client: https, verified, bounded, without redirects. */
function fetchOver(outbound: Outbound): client.CustomFetch {
  return async (url, { method, headers, body, signal }) => {
    const answer = await outbound.request({
      url,
      method: method === 'POST' ? 'POST' : 'GET',
      headers,
      ...(body === undefined || body === null ? {} : { body: bytesOf(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
    const type = answer.headers['content-type'];
    // A copy: Response wants memory of its own.
    return new Response(Uint8Array.from(answer.body), {
      status: answer.status,
      headers: type === undefined ? {} : { 'content-type': type },
    });
  };
}

function bytesOf(body: NonNullable<client.FetchBody>): string | Uint8Array {
  if (typeof body === 'string' || body instanceof Uint8Array) return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new TypeError('The library sent a body of a kind that OpenID Connect does not use');
}

/** For the log of the process alone: codes of the library and of the provider, never what a token said. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return code.slice(0, 100);
}
