import { describe, expect, test } from 'vitest';
import { checkBrowserOrigin, checkHost, hostNames } from './origin-checks.ts';

const names = hostNames(['registry.example', 'localhost', '::1'], 'https', 8443);
const BASE = 'https://registry.example:8443';

describe('the host', () => {
  test.each([
    ['registry.example:8443', BASE],
    ['REGISTRY.example', BASE],
    ['localhost:1', 'https://localhost:8443'],
    ['[::1]:8443', 'https://[::1]:8443'],
  ])('%s is ours', (host, baseUrl) => {
    expect(checkHost({ host }, names)).toBe(baseUrl);
  });

  test.each(['evil.example', 'registry.example.evil', 'registry.example@evil', '', '127.0.0.1', 'localhost:1:2'])(
    '%j is not',
    (host) => {
      expect(() => checkHost({ host }, names)).toThrow(/host-unknown/);
    },
  );

  test('the standard port is left out of addresses', () => {
    expect(hostNames(['a.example'], 'https', 443).get('a.example')).toBe('https://a.example');
  });
});

describe('a request from a browser', () => {
  const ask = (method: string, path: string, headers: Record<string, string>) => () =>
    checkBrowserOrigin(method, path, { host: 'registry.example:8443', ...headers }, BASE);
  const ours = { 'sec-fetch-site': 'same-origin', 'x-careseal': '1' };

  test.each([
    ['our page changes something', 'POST', '/api/x', ours],
    ['our page reads', 'GET', '/api/x', { 'sec-fetch-site': 'same-origin' }],
    ['a client that is no browser reads', 'GET', '/fhir/Patient', {}],
    ['a client that is no browser changes something', 'POST', '/fhir/Patient', { 'x-careseal': '1' }],
    ['the address bar', 'GET', '/clients', { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }],
    ['a link in a mail opens a page', 'GET', '/clients/1', visit('cross-site')],
    ['an old browser on our page', 'POST', '/api/x', { origin: BASE, 'x-careseal': '1' }],
  ])('%s: allowed', (_what, method, path, headers) => {
    expect(ask(method, path, headers)).not.toThrow();
  });

  test.each([
    ['another site posts', 'POST', '/api/x', { ...ours, 'sec-fetch-site': 'cross-site' }],
    ['a sibling host posts', 'POST', '/api/x', { ...ours, 'sec-fetch-site': 'same-site' }],
    ['another site fetches data', 'GET', '/api/x', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }],
    ['another site navigates to data', 'GET', '/api/x', visit('cross-site')],
    ['another site navigates to FHIR', 'GET', '/fhir/Patient?name=a', visit('cross-site')],
    ['another site frames a page', 'GET', '/clients', { ...visit('cross-site'), 'sec-fetch-dest': 'iframe' }],
    ['an HTML form of another site', 'POST', '/clients', visit('cross-site')],
    ['a form without our header', 'POST', '/api/x', { 'sec-fetch-site': 'same-origin' }],
    ['an old browser on another site', 'POST', '/api/x', { origin: 'https://evil.example', 'x-careseal': '1' }],
    ['a sandboxed frame in an old browser', 'POST', '/api/x', { origin: 'null', 'x-careseal': '1' }],
    ['an unsafe request out of the address bar', 'DELETE', '/api/x', { ...ours, 'sec-fetch-site': 'none' }],
  ])('%s: refused', (_what, method, path, headers) => {
    expect(ask(method, path, headers)).toThrow(/cross-site|csrf-header-missing/);
  });
});

function visit(site: string): Record<string, string> {
  return { 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
}
