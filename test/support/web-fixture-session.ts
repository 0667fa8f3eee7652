/** Who is signed in, as the fixture door answers. */
import { ROLES } from '../../src/kernel/access.ts';
import { ago } from './web-fixture-answers.ts';
import { idOf } from './web-fixture-data.ts';
import type { FixtureAnswer, FixtureState } from './web-fixture.ts';

const PERMISSIONS: Readonly<Record<string, readonly string[]>> = {
  administrator: [
    'client.read',
    'client.write',
    'client.load',
    'client.delete',
    'client.share',
    'client.break-glass',
    'organisation.manage',
    'review.read',
    'review.decide',
    'node.read',
    'node.manage',
    'user.read',
    'user.manage',
    'audit.read',
    'settings.manage',
  ],
  registrar: ['client.read', 'client.write', 'client.load', 'client.break-glass'],
  steward: ['client.read', 'client.write', 'client.load', 'review.read', 'review.decide'],
  auditor: ['audit.read'],
};

export const user = (state: FixtureState, index: number) => ({
  id: idOf(9, index),
  name:
    ['Dr. Amina Okello', 'Grace Namukasa', 'محمد عبد الرحمن', 'Joseph Mugisha', 'Ingrid Ssekandi'][index] ?? 'Somebody',
  email: ['amina', 'grace', 'mohammed', 'joseph', 'ingrid'][index] + '@example.org',
  roles: index === 0 ? state.roles : [ROLES[index % ROLES.length] ?? 'steward'],
  memberships: [
    {
      organisation: {
        id: idOf(8, index % 2),
        name: index % 2 === 0 ? 'Lakeside Health Programme' : 'Clinique du Nord',
      },
      roles: index === 0 ? state.roles : [ROLES[index % ROLES.length] ?? 'steward'],
      central: index % 2 === 0,
    },
  ],
  elsewhere: index === 3,
  state: index === 2 ? 'invited' : index === 4 ? 'disabled' : 'active',
  secondFactor: index !== 2,
  ...(index === 2 ? {} : { lastSignInAt: ago(5 + index * 1900) }),
});

export const session = (state: FixtureState): FixtureAnswer => ({
  body: {
    state: state.signedIn,
    ...(state.signedIn === 'signed-in'
      ? {
          user: {
            ...user(state, 0),
            organisation: { id: idOf(8, 0), name: 'Lakeside Health Programme', central: !state.emergency },
            organisations: [
              { id: idOf(8, 0), name: 'Lakeside Health Programme' },
              ...(state.emergency ? [{ id: idOf(8, 1), name: 'Clinique du Nord' }] : []),
            ],
            roleNames: {},
          },
        }
      : {}),
    permissions:
      state.signedIn === 'signed-in' ? [...new Set(state.roles.flatMap((role) => PERMISSIONS[role] ?? []))] : [],
    idleTimeoutSeconds: state.idleTimeoutSeconds,
    absoluteEndsAt: ago(-600),
    ...(state.emergency ? { emergency: { id: idOf(12, 1), endsAt: ago(-25) } } : {}),
  },
});
