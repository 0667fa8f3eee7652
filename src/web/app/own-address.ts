/** Spaces and control characters: browsers drop some of them before they read an address. */
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const ODD = /[\u0000-\u0020\u007F-\u009F\u2028\u2029\\]/;
const BASE = 'https://own.invalid';

/**
 * The address if it is a path of ours, else `/`. Refused: other hosts in every spelling browsers take (`//host`, `/\host`, `\\host`,
 * `https:host`), other schemes, control characters, and anything that is no path.
 */
export function ownAddress(address: string): string {
  if (!address.startsWith('/') || address.startsWith('//') || ODD.test(address)) return '/';
  const read = URL.parse(address, BASE);
  return read?.origin === BASE && !read.pathname.startsWith('//') ? address : '/';
}
