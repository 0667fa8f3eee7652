import { describe, expect, test } from 'vitest';
import { testRoute } from '../../../test/support/door.ts';
import { addressGroup, plainAddress } from './address.ts';
import { assertRoutes } from './check-routes.ts';
import { readCookie, writeCookie } from './cookies.ts';
import { createLimits, type Spent } from './limiter.ts';
import { permission } from './route.ts';
import { routeLines } from './route-list.ts';

describe('a route declaration', () => {
  const faulty = (changes: object) => () => assertRoutes([{ ...testRoute({}), ...changes }]);

  test('with everything decided passes', () => {
    expect(faulty({})).not.toThrow();
  });

  test.each([
    ['no access', { access: undefined }, /needs an access/],
    ['an access without a permission', { access: { kind: 'permission' } }, /needs an access/],
    ['an access of unknown kind', { access: { kind: 'everybody' } }, /needs an access/],
    ['a public access without a reason', { access: { kind: 'public', because: '  ' } }, /needs an access/],
    ['no audit', { audit: undefined }, /needs an audit/],
    ['no audit and no reason', { audit: { kind: 'none', because: 'no' } }, /needs an audit/],
    ['no limits', { limits: undefined }, /needs limits/],
    ['an endless limit', { limits: { bodyBytesMax: 0, perMinute: Infinity } }, /needs limits/],
    ['no requests allowed', { limits: { bodyBytesMax: 0, perMinute: 0 } }, /at least 1/],
    ['a size but no body', { limits: { bodyBytesMax: 5, perMinute: 5 } }, /exactly where the body is 'none'/],
    ['no door', { doors: [] }, /known door/],
    ['an unknown door', { doors: ['back'] }, /known door/],
    ['a path that is none', { path: 'api' }, /starts with/],
  ])('with %s keeps the server from starting', (_what, changes, message) => {
    expect(faulty(changes)).toThrow(message);
  });

  test('is refused when another has the same method and path on the same door', () => {
    expect(() => assertRoutes([testRoute({}), testRoute({})])).toThrow(/declared twice/);
    expect(() => assertRoutes([testRoute({ doors: ['users'] }), testRoute({ doors: ['nodes'] })])).not.toThrow();
  });

  test('is one line per door in the golden list', () => {
    expect(
      routeLines([testRoute({ access: permission('node.read'), limits: { bodyBytesMax: 0, perMinute: 9 } })]),
    ).toEqual([
      'nodes GET /api/test | permission node.read | none: exists in this test only | body 0 B, 9/min',
      'users GET /api/test | permission node.read | none: exists in this test only | body 0 B, 9/min',
    ]);
  });
});

describe('the limiter', () => {
  test('allows a burst of a minute, then the steady rate', () => {
    const limiter = createLimits().limiter('a route', 6);
    for (let i = 0; i < 6; i++) expect(limiter('a', 0)).toBe(0);
    expect(limiter('a', 0)).toBe(10);
    expect(limiter('b', 0)).toBe(0);
    expect(limiter('a', 10_000)).toBe(0);
    expect(limiter('a', 10_000)).toBe(10);
    for (let i = 0; i < 6; i++) expect(limiter('a', 200_000)).toBe(0);
    expect(limiter('a', 200_000)).toBe(10);
  });

  test('forgets idle callers first when its memory is full', () => {
    const limiter = createLimits({ callersMax: 100 }).limiter('a route', 2);
    limiter('busy', 100_000);
    limiter('busy', 100_000);
    for (let i = 0; i < 95; i++) limiter(`idle ${i}`, 0);
    for (let i = 0; i < 50; i++) limiter(`new ${i}`, 100_000);
    expect(limiter('busy', 100_000)).toBeGreaterThan(0);
  });

  test('stays bounded when everybody is busy', () => {
    const limiter = createLimits({ callersMax: 100 }).limiter('a route', 1);
    for (let i = 0; i < 10_000; i++) expect(limiter(`address ${i}`, 0)).toBe(0);
    // The newest are still known, so the map was trimmed, not emptied.
    expect(limiter('address 9999', 0)).toBeGreaterThan(0);
  });

  test('counts what other processes tell of, for limits that it has not met itself too, and tells what was spent here', async () => {
    const told: Spent[] = [];
    const here = createLimits({ share: (spent) => void told.push(spent) });
    const there = createLimits();
    const limiter = here.limiter('a route', 6);
    for (let i = 0; i < 4; i++) expect(limiter('a', 0)).toBe(0);
    expect(limiter('b', 0)).toBe(0);
    await expect
      .poll(() => told)
      .toEqual([
        [
          ['a route', 'a', 40_000],
          ['a route', 'b', 10_000],
        ],
      ]);
    for (const spent of told) there.add(spent, 0);
    const other = there.limiter('a route', 6);
    for (let i = 0; i < 2; i++) expect(other('a', 0)).toBe(0);
    expect(other('a', 0)).toBe(10);
    expect(there.limiter('another route', 6)('a', 0)).toBe(0);
    // What was let through in both at once is paid for by waiting longer.
    there.add([['a route', 'a', 20_000]], 0);
    expect(other('a', 10_000)).toBe(20);
    // Nothing new, nothing told; what others spent is not told back.
    here.add([['a route', 'a', 20_000]], 0);
    expect(limiter('a', 0)).toBe(10);
    expect(told).toHaveLength(1);
  });

  test('one name counts once, whatever the rate was meanwhile', () => {
    const limits = createLimits();
    for (let i = 0; i < 5; i++) expect(limits.limiter('systems', 10)('a', 0)).toBe(0);
    const slower = limits.limiter('systems', 4);
    expect([slower('a', 0), slower('a', 0), slower('a', 0)]).toEqual([0, 0, 15]);
  });
});

describe('addresses', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2ff::1', '20010db8000102/56'],
    ['2001:db8:1:2aa:ffff:1:2:3', '20010db8000102/56'],
    ['2001:db8:1:3ff::1', '20010db8000103/56'],
    ['::1', '00000000000000/56'],
    ['fe80::1%eth0', 'fe800000000000/56'],
  ])('%s counts as %s', (address, group) => {
    expect(addressGroup(address)).toBe(group);
  });

  test('an IPv4 address mapped into IPv6 is that address', () => {
    expect(plainAddress('::ffff:192.0.2.7')).toBe('192.0.2.7');
    expect(plainAddress('2001:db8::1')).toBe('2001:db8::1');
  });
});

describe('cookies', () => {
  test('only the prefixed name is read', () => {
    expect(readCookie('session=x; __Host-session=y', 'session')).toBe('y');
    expect(readCookie('session=x; a__Host-session=y', 'session')).toBeUndefined();
    expect(readCookie(undefined, 'session')).toBeUndefined();
  });

  test.each(['a b', 'a;Domain=evil', 'a,b', 'a\r\nSet-Cookie: x', 'ü'])('value %j is refused', (value) => {
    expect(() => writeCookie({ name: 'session', value })).toThrow(TypeError);
  });
});
