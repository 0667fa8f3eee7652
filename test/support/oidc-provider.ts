import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type CryptoKey as JoseKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import Provider from 'oidc-provider';
import { type Answer, send, testAuthority, testLeaf } from './tls.ts';

/** A real OpenID provider on a real port, with a certificate of an authority of its own. */
export interface TestProvider {
  readonly issuer: string;
  readonly authority: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Who is signed in at the provider from now on, and how it says so. */
  become(subject: string, how?: { amr?: string[]; acr?: string }): void;
  /** Resting, it answers nothing but that it is out of service. */
  rest(on: boolean): void;
  /** What a browser does with an address of the provider: follows it until the provider sends it back, and answers that address. */
  visit(url: string): Promise<URL>;
  close(): Promise<void>;
}

const CLIENT = { clientId: 'careseal', clientSecret: 'a secret of the test that is long enough' };

export async function oidcProvider(redirectUri: string): Promise<TestProvider> {
  const authority = await testAuthority('Provider');
  const leaf = await testLeaf(authority, { usage: 'server' });
  const server = createServer({ cert: leaf.certificate, key: leaf.key });
  const issuer = await listen(server);
  let who: { subject: string; amr?: string[]; acr?: string } = { subject: 'nobody' };
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.clientId,
        client_secret: CLIENT.clientSecret,
        redirect_uris: [redirectUri],
        response_types: ['code'],
        grant_types: ['authorization_code'],
      },
    ],
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_ctx: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    claims: { openid: ['sub', 'amr', 'acr', 'email', 'email_verified'] },
    conformIdTokenClaims: false,
    // Everybody here has the same e-mail address as an account of ours, and the provider says it is not verified.
    findAccount: (_ctx: unknown, id: string) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        email: 'kofi@example.org',
        email_verified: false,
        ...(who.amr === undefined ? {} : { amr: who.amr }),
        ...(who.acr === undefined ? {} : { acr: who.acr }),
      }),
    }),
    // The library's own types are not published with it.
    // oxlint-disable-next-line typescript/no-explicit-any -- see above
    async loadExistingGrant(ctx: any) {
      const { client, session } = ctx.oidc;
      const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope('openid');
      await grant.save();
      return grant;
    },
  });
  const callback = provider.callback();
  let resting = false;
  server.on('request', (request, response) => {
    if (resting) return void response.writeHead(503).end();
    if (request.url?.startsWith('/interaction/') !== true) return void callback(request, response);
    const result = {
      login: { accountId: who.subject, ...(who.amr ? { amr: who.amr } : {}), ...(who.acr ? { acr: who.acr } : {}) },
    };
    void provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  });
  return {
    issuer,
    authority: authority.ca,
    ...CLIENT,
    become(subject, how = {}) {
      who = { subject, ...how };
    },
    rest(on) {
      resting = on;
    },
    visit: (url) => follow(url, authority.ca, redirectUri),
    close: () => closed(server),
  };
}

/** Each visit in a new browser, so that the provider asks who it is. */
async function follow(start: string, ca: string, redirectUri: string): Promise<URL> {
  const jar = new Map<string, string>();
  let url = new URL(start);
  for (let hops = 0; hops < 10; hops += 1) {
    if (url.href.startsWith(redirectUri)) return url;
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer: Answer = await send(
      { port: Number(url.port), ca },
      { path: url.pathname + url.search, headers: { cookie } },
    );
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [pair = ''] = line.split(';');
      const at = pair.indexOf('=');
      jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const { location } = answer.headers;
    if (location === undefined) throw new Error(`The provider answered ${answer.status}: ${answer.text.slice(0, 500)}`);
    url = new URL(location, url);
  }
  throw new Error('The provider sends in circles');
}

/** A provider that lies: it answers any code with whatever ID token the test wants. */
export interface LyingProvider {
  readonly issuer: string;
  readonly authority: string;
  /** The next ID token: claims beyond the right ones, and with which key and header it is signed. */
  lie(with_: { claims?: Record<string, unknown>; key?: 'own' | 'foreign'; unsigned?: boolean; without?: string }): void;
  close(): Promise<void>;
}

export async function lyingProvider(clientId: string, nonceOf: () => string): Promise<LyingProvider> {
  const authority = await testAuthority('Liar');
  const leaf = await testLeaf(authority, { usage: 'server' });
  const keys = { own: await generateKeyPair('RS256'), foreign: await generateKeyPair('RS256') };
  const jwk = { ...(await exportJWK(keys.own.publicKey)), kid: 'k', alg: 'RS256', use: 'sig' };
  const server = createServer({ cert: leaf.certificate, key: leaf.key });
  const issuer = await listen(server);
  let told: Parameters<LyingProvider['lie']>[0] = {};
  const token = (): Promise<string> =>
    idToken({ issuer, clientId, nonce: nonceOf() }, told, keys[told.key ?? 'own'].privateKey);
  server.on('request', (request, response) => {
    const json = (body: unknown): void => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(body));
    };
    request.resume();
    if (request.url === '/.well-known/openid-configuration') {
      json({
        issuer,
        authorization_endpoint: `${issuer}/auth`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256', 'none'],
        authorization_response_iss_parameter_supported: true,
      });
    } else if (request.url === '/jwks') json({ keys: [jwk] });
    else void token().then((id_token) => json({ access_token: 'x', token_type: 'Bearer', id_token }));
  });
  return { issuer, authority: authority.ca, lie: (what) => void (told = what), close: () => closed(server) };
}

async function idToken(
  right: { issuer: string; clientId: string; nonce: string },
  told: Parameters<LyingProvider['lie']>[0],
  key: JoseKey,
): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  const claims: Record<string, unknown> = {
    ...{
      iss: right.issuer,
      aud: right.clientId,
      sub: 'kofi-at-liar',
      nonce: right.nonce,
      iat: now,
      exp: now + 300,
      amr: ['mfa'],
    },
    ...told.claims,
  };
  if (told.without !== undefined) delete claims[told.without];
  if (told.unsigned === true) {
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${part({ alg: 'none' })}.${part(claims)}.`;
  }
  return await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'k' }).sign(key);
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server's address is never a string.
  return `https://localhost:${(server.address() as AddressInfo).port}`;
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
