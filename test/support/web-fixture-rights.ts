import {
  CENTRAL_PERMISSIONS,
  explainRight,
  ROLE_PERMISSIONS,
  builtInRole,
} from '../../src/features/identity/rights.ts';
import { PERMISSIONS, ROLES } from '../../src/kernel/access.ts';
import type { OrganisationId } from '../../src/kernel/ids.ts';
import { ago } from './web-fixture-answers.ts';
import { idOf } from './web-fixture-data.ts';
import type { FixtureAnswer } from './web-fixture.ts';

/** Answers about organisations, rights, emergencies, tokens and providers, for tests of the pages alone. */
const CENTRE = { id: idOf(8, 0), name: 'Lakeside Health Programme' };
const NORTH = { id: idOf(8, 1), name: 'Clinique du Nord, antenne de Kisoro' };

const organisations = [
  { ...CENTRE, central: true, users: 14 },
  { ...NORTH, central: false, users: 5, ceiling: ['client.read', 'client.write', 'user.read', 'user.manage'] },
  { id: idOf(8, 2), name: 'مستوصف البحيرة', central: false, users: 0 },
];

const own = {
  id: idOf(11, 1),
  name: 'Front desk',
  about: 'Registers and finds people, and nothing else.',
  builtIn: false,
  permissions: ['client.read', 'client.write'],
  held: 3,
};
const roles = {
  roles: [...ROLES.map((id) => ({ id, builtIn: true, permissions: ROLE_PERMISSIONS[id] })), own],
  centralOnly: [...CENTRAL_PERMISSIONS],
};

const place = {
  organisationId: NORTH.id as OrganisationId,
  central: false,
  active: true,
  ceiling: ['client.read', 'client.write', 'user.read', 'user.manage'] as const,
  roles: [builtInRole('administrator')],
};
const rights = {
  user: { id: idOf(9, 1), name: 'Grace Namukasa', state: 'active' },
  organisation: NORTH,
  organisations: [NORTH, CENTRE],
  rights: PERMISSIONS.map((permission) => {
    const { allowed, reasons } = explainRight(
      { state: 'active', memberships: [place] },
      permission,
      place.organisationId,
    );
    const told = reasons.map((reason) => ({
      kind: reason.kind,
      organisation: NORTH,
      ...('role' in reason ? { role: { id: reason.role } } : {}),
      ...('central' in reason ? { central: reason.central } : {}),
      ...('by' in reason ? { by: reason.by } : {}),
    }));
    return { permission, allowed, reasons: told };
  }),
};

const waiting = [1, 3].map((index) => ({
  user: {
    id: idOf(9, index),
    name: index === 1 ? 'Grace Namukasa' : 'Joseph Mugisha',
    email: 'g@example.org',
    state: 'active',
  },
  organisation: index === 1 ? NORTH : CENTRE,
  roles: index === 1 ? [{ id: 'registrar' }, { id: own.id, name: own.name }] : [{ id: 'steward' }],
  joinedAt: ago(600_000),
  ...(index === 1 ? {} : { reviewedAt: ago(200_000), lastSignInAt: ago(90_000) }),
  self: index === 3,
}));

const emergency = (index: number, reviewed: boolean) => ({
  id: idOf(12, index),
  user: { id: idOf(9, index), name: index === 1 ? 'Grace Namukasa' : 'Joseph Mugisha' },
  organisation: NORTH,
  reason: 'Unconscious in the emergency room, carries a card of the lake clinic',
  startedAt: ago(40),
  endsAt: ago(reviewed ? 10 : -20),
  open: !reviewed,
  self: false,
  ...(reviewed
    ? {
        review: {
          at: ago(5),
          by: 'Dr. Amina Okello',
          verdict: 'justified',
          note: 'The card was found on the patient.',
        },
      }
    : {}),
});

const token = (index: number, state: 'active' | 'revoked') => ({
  id: idOf(13, index),
  label: index === 0 ? 'nightly export' : 'laboratory link',
  permissions: ['client.read'],
  organisation: CENTRE,
  createdAt: ago(9_000),
  expiresAt: ago(-30_000),
  ...(index === 0 ? { lastUsedAt: ago(90) } : {}),
  state,
});

const provider = {
  id: idOf(14, 0),
  name: 'Ministry of Health',
  issuer: 'https://sso.health.example.org/realms/national',
  clientId: 'careseal',
  amr: ['mfa', 'otp'],
  acr: [],
  ownAuthority: false,
  linked: 41,
  redirectUri: 'https://careseal.example.org:8443/sign-in/return',
};
const named = { id: provider.id, name: provider.name };

type Route = readonly [string, RegExp, (request: { readonly body: unknown }) => FixtureAnswer];
const gone = (): FixtureAnswer => ({ status: 204 });

/** `nothing`: the first day, when none of it is there. */
export const rightsRoutes = (nothing: boolean): readonly Route[] => [
  [
    'POST',
    /^\/api\/organisations\/search$/,
    () => ({ body: { organisations: nothing ? organisations.slice(0, 1) : organisations, total: nothing ? 1 : 3 } }),
  ],
  ['POST', /^\/api\/organisations\/choices$/, () => ({ body: { organisations: [NORTH] } })],
  ['PUT', /^\/api\/organisations\/[^/]+$/, () => ({ body: { organisation: organisations[1] } })],
  ['GET', /^\/api\/roles$/, () => ({ body: nothing ? { ...roles, roles: roles.roles.slice(0, 4) } : roles })],
  ['POST', /^\/api\/rights$/, () => ({ body: rights })],
  ['GET', /^\/api\/access-review$/, () => ({ body: { entries: nothing ? [] : waiting, total: nothing ? 0 : 2 } })],
  ['POST', /^\/api\/access-review\/confirm$/, gone],
  [
    'GET',
    /^\/api\/emergencies$/,
    () => ({ body: { emergencies: nothing ? [] : [emergency(1, false), emergency(3, true)], total: nothing ? 0 : 2 } }),
  ],
  ['POST', /^\/api\/emergenc.*$/, gone],
  ['DELETE', /^\/api\/emergency$/, gone],
  [
    'GET',
    /^\/api\/personal-tokens$/,
    () => ({ body: { tokens: nothing ? [] : [token(0, 'active'), token(1, 'revoked')] } }),
  ],
  [
    'GET',
    /^\/api\/users\/[^/]+\/personal-tokens$/,
    () => ({ body: { tokens: nothing ? [] : [token(0, 'active'), token(1, 'revoked')] } }),
  ],
  ['DELETE', /^\/api\/users\/[^/]+\/personal-tokens\/[^/]+$/, gone],
  ['PUT', /^\/api\/providers\/[^/]+$/, () => ({ body: { provider } })],
  [
    'POST',
    /^\/api\/providers\/[^/]+\/check$/,
    () => ({ body: { signInUrl: 'https://sso.example.org/realms/health/auth' } }),
  ],
  [
    'POST',
    /^\/api\/personal-tokens$/,
    () => ({ body: { token: token(0, 'active'), secret: `careseal_pat_${'Ab3-'.repeat(10)}xyz` } }),
  ],
  ['GET', /^\/api\/sign-in\/providers$/, () => ({ body: { providers: nothing ? [] : [named] } })],
  ['POST', /^\/api\/sign-in\/provider\/return$/, () => ({ status: 401, body: { code: 'provider-refused' } })],
  ['POST', /^\/api\/identities\/[^/]+\/confirm$/, gone],
  ['GET', /^\/api\/providers$/, () => ({ body: { providers: nothing ? [] : [provider] } })],
  [
    'GET',
    /^\/api\/identities$/,
    () => ({
      body: {
        identities: nothing ? [] : [{ id: idOf(15, 0), provider: named, linkedAt: ago(9_000), waits: true }],
      },
    }),
  ],
  [
    'GET',
    /^\/api\/clients\/[^/]+\/shares$/,
    () => ({
      body: {
        mayShare: true,
        shares: nothing
          ? []
          : [
              {
                organisation: NORTH,
                at: ago(900),
                by: 'Dr. Amina Okello',
                reason: 'She moved to the north and is treated there',
              },
            ],
      },
    }),
  ],
];
