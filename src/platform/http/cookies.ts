import type { CookieChange } from './route.ts';

/**
 * `__Host-` makes the browser insist on Secure, Path=/ and no Domain, so that no sibling host can plant the cookie.
 * Handlers use the short name on both ways.
 */
const PREFIX = '__Host-';
const NAME = /^[A-Za-z0-9_-]{1,40}$/;
const VALUE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/; // RFC 6265 §4.1.1 cookie-octet

export function readCookie(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  const wanted = `${PREFIX}${name}=`;
  for (const pair of header.split(';')) {
    const text = pair.trim();
    if (text.startsWith(wanted)) return text.slice(wanted.length);
  }
  return undefined;
}

export function writeCookie(change: CookieChange): string {
  const value = change.value ?? '';
  // A blank, comma or semicolon would end the value and let the rest be read as attributes.
  if (!NAME.test(change.name) || !VALUE.test(value)) throw new TypeError('A cookie needs a plain name and value.');
  const age = change.value === null ? 0 : change.maxAgeSeconds;
  const parts = [`${PREFIX}${change.name}=${value}`, 'Path=/', 'Secure', 'HttpOnly', 'SameSite=Strict'];
  if (age !== undefined) parts.push(`Max-Age=${Math.floor(age)}`);
  return parts.join('; ');
}
