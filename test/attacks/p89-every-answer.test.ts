import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '../../src/crypto/index.ts';
import type { RouteDeclaration } from '../../src/platform/http/index.ts';
import { type Programme, programme } from '../support/organisations.ts';
import { type Answer, OWN_PAGE } from '../support/tls.ts';

/**
 * P89. Attacker: who sits down at a browser after somebody, or frames an answer in a page, or sends names that JavaScript has a meaning
 * for. Every address of the users' door, for somebody who may everything and for a stranger, whatever it answers: nothing is kept by the
 * browser, framed or run, and no name in a body reaches beyond it.
 */
let p: Programme;
let routes: readonly RouteDeclaration[];
beforeAll(async () => {
  p = await programme();
  routes = p.services.routes.filter(({ doors }) => doors.includes('users'));
}, 120_000);
afterAll(() => p.close());

/** Ending one's own sessions would end the test. */
const ENDING = new Set(['POST /api/sign-out', 'DELETE /api/sessions']);
const nameOf = ({ method, path }: RouteDeclaration) => `${method} ${path}`;
const pathOf = ({ path }: RouteDeclaration) => path.replaceAll(/:\w+/g, newId()).replace('*', '0/000');

function ask(who: 'anybody' | 'nobody', one: RouteDeclaration, body?: string): Promise<Answer> {
  const type = one.path.startsWith('/fhir') ? 'application/fhir+json' : 'application/json';
  return p.send({
    ...{ method: one.method, path: pathOf(one) },
    headers: {
      ...OWN_PAGE,
      ...(who === 'nobody' ? {} : { cookie: p.cookie('centre administrator') }),
      ...(body === undefined ? {} : { 'content-type': type }),
    },
    ...(body === undefined ? {} : { body }),
  });
}

test.each(['anybody', 'nobody'] as const)('no answer to %s is kept, framed, sniffed or run', async (who) => {
  expect(routes.length).toBeGreaterThan(180);
  for (const one of routes) {
    if (ENDING.has(nameOf(one))) continue;
    const { status, headers } = await ask(who, one);
    expect(status, nameOf(one)).toBeLessThan(500);
    expect(headers, nameOf(one)).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'content-security-policy': expect.stringMatching(/default-src 'none'.*frame-ancestors 'none'/),
    });
    // What a browser would show as a page, or hand over under a name it takes from a header of two meanings.
    expect(String(headers['content-type'] ?? ''), nameOf(one)).not.toMatch(/html|svg|javascript|text\/xml/);
    expect(headers['location'], nameOf(one)).toBeUndefined();
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  }
});

test.each([
  '/',
  '/clients',
  '/sign-in?next=//evil.example',
  '/sign-in/return?code=x&state=y',
  '//evil/x',
  '/%5Cevil/x',
])('the page at %s leads nowhere else, is not kept, framed, or open to other windows', async (path) => {
  const { status, headers } = await p.send({ path });
  expect([status, headers['location']], path).toEqual([200, undefined]);
  expect(headers).toMatchObject({
    'cache-control': 'no-store',
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    'content-security-policy': expect.stringMatching(
      /script-src 'self';.*base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'/,
    ),
  });
  expect(headers['content-security-policy']).not.toMatch(/unsafe|\*|https?:/);
});

test.each([
  '{"__proto__":{"isPolluted":true,"permissions":["settings.manage"]}}',
  '{"a":{"__proto__":{"isPolluted":true}}}',
  '{"constructor":{"prototype":{"isPolluted":true}}}',
  '{"resourceType":"constructor","prototype":{"isPolluted":true}}',
  '{"resourceType":"__proto__"}',
  '{"resourceType":"Patient","toString":1,"hasOwnProperty":1,"valueOf":1}',
  '[]',
  'null',
  '""',
])('a body %s is refused or not heeded everywhere', async (body) => {
  for (const one of routes) {
    if (ENDING.has(nameOf(one)) || one.method === 'GET' || one.method === 'DELETE') continue;
    const { status, text } = await ask('anybody', one, body);
    expect(status, `${nameOf(one)}: ${text.slice(0, 300)}`).toBeLessThan(500);
    expect(Reflect.get({}, 'isPolluted'), nameOf(one)).toBeUndefined();
  }
});
