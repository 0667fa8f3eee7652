import { DEFAULT_IDENTITY_SETTINGS } from '../../src/features/identity/model.ts';
import { policySettings } from '../../src/features/identity/policy-words.ts';
import { ago } from './web-fixture-answers.ts';
import { idOf } from './web-fixture-data.ts';
import type { FixtureAnswer } from './web-fixture.ts';

/** Answers about signing in, own factors and the policy, for tests of the pages alone. */
const TRUSTED = { id: idOf(6, 1), address: '192.0.2.10', userAgent: 'Mozilla/5.0 (X11; Linux x64) Firefox/140.0' };

const factors = {
  authenticators: [
    { id: idOf(6, 2), name: 'Work telephone', createdAt: ago(90_000), lastUsedAt: ago(20) },
    { id: idOf(6, 3), name: 'هاتف البيت', createdAt: ago(50_000) },
  ],
  passkeys: [{ id: idOf(6, 4), name: 'Yellow key', createdAt: ago(9_000), lastUsedAt: ago(4_000), backedUp: true }],
  recoveryCodesLeft: 3,
  trustedDevices: [{ ...TRUSTED, factorAt: ago(3_000), lastUsedAt: ago(30), expiresAt: ago(-40_000) }],
  secondFactor: 'required',
};

const policy = {
  settings: policySettings(DEFAULT_IDENTITY_SETTINGS),
  warnings: [],
  requirements: [{ scope: 'role', scopeId: 'administrator', secondFactor: 'required' }],
  networks: [{ scope: 'door', scopeId: 'nodes', networks: ['192.0.2.0/24', '2001:db8::/32'] }],
  ownAddress: '192.0.2.10',
  mail: { configured: true, waiting: 2, givenUp: 1, lastFailure: 'connection' },
};

const exceptions = {
  exceptions: [
    {
      ...{ id: idOf(6, 5), userId: idOf(9, 1), name: 'Grace Namukasa', reason: 'Her telephone comes on Monday' },
      ...{ approvedBy: 'Dr. Amina Okello', grantedAt: ago(600), endsAt: ago(-3_000), state: 'living' },
    },
  ],
  total: 1,
};

const bans = {
  networksTotal: 1,
  accountsTotal: 1,
  networks: [{ id: idOf(6, 6), network: '198.51.100.9', failures: 71, since: ago(60), until: ago(-25) }],
  accounts: [{ userId: idOf(9, 3), name: 'Joseph Mugisha', failures: 50, closed: true, until: ago(-60) }],
};

const notice = { id: idOf(6, 7), title: 'New rules of use', text: 'Read them.\n\nThen go on.', createdAt: ago(300) };

type Route = readonly [string, RegExp, (request: { readonly body: unknown }) => FixtureAnswer];

export const identityRoutes = (pending: boolean): readonly Route[] => [
  ['GET', /^\/api\/factors$/, () => ({ body: factors })],
  ['GET', /^\/api\/users\/[^/]+\/factors$/, () => ({ body: factors })],
  ['GET', /^\/api\/users\/[^/]+\/sessions$/, () => ({ body: { sessions: [] } })],
  ['POST', /^\/api\/recovery-codes$/, () => ({ body: { recoveryCodes: Array.from({ length: 10 }, code) } })],
  ['GET', /^\/api\/step-up$/, () => ({ body: { ways: ['authenticator', 'passkey'], minutes: 10 } })],
  ['GET', /^\/api\/policy$/, () => ({ body: policy })],
  ['GET', /^\/api\/policy\/exceptions$/, () => ({ body: exceptions })],
  ['PUT', /^\/api\/policy$/, () => ({ status: 204 })],
  ['GET', /^\/api\/bans$/, () => ({ body: bans })],
  [
    'GET',
    /^\/api\/notices$/,
    () => ({ body: { total: 1, notices: [{ ...notice, roles: [], withdrawn: false, acknowledged: 12 }] } }),
  ],
  ['GET', /^\/api\/notices\/pending$/, () => ({ body: { notices: pending ? [notice] : [] } })],
  ['POST', /^\/api\/forgot-password$/, () => ({ body: { mail: true } })],
  [
    'POST',
    /^\/api\/password-reset\/link$/,
    () => ({
      body: {
        ...{ expiresAt: ago(-55), email: 'amina@example.org', passwordLengthMin: 8 },
        ways: ['authenticator', 'passkey', 'recovery-code'],
      },
    }),
  ],
  ['POST', /^\/api\/factor-reset\/link$/, () => ({ body: { expiresAt: ago(-55), email: 'amina@example.org' } })],
];

const code = (_: unknown, at: number): string => `7K2M-${at}QRS-TVWX-YZ01-2345-6789`;
