import type { IncomingHttpHeaders } from 'node:http';
import { Problem } from '../../kernel/problem.ts';

/**
 * What protects a browser's user against other sites: Host must be one of ours (DNS rebinding), Fetch Metadata must not say
 * "another site sent this", and a change needs a header which only our own pages can add (cross-site request forgery).
 */
export type OriginCode = 'host-unknown' | 'cross-site' | 'csrf-header-missing';

export type HostNames = ReadonlyMap<string, string>;

/** Host name (lower case, IPv6 in brackets) → base URL of this door under that name. */
export function hostNames(names: readonly string[], scheme: 'http' | 'https', port: number): HostNames {
  const standard = scheme === 'https' ? 443 : 80;
  return new Map(
    names.map((name) => {
      const host = name.includes(':') && !name.startsWith('[') ? `[${name}]` : name;
      const lower = host.toLowerCase();
      return [lower, `${scheme}://${lower}${port === standard ? '' : `:${port}`}`];
    }),
  );
}

const PORT = /:\d{1,5}$/;

/** The base URL for this request: its Host header chooses among the configured names and adds nothing of its own. */
export function checkHost(headers: IncomingHttpHeaders, names: HostNames): string {
  const host = headers.host;
  if (host !== undefined) {
    const name = host.replace(PORT, '');
    const baseUrl = names.get(name) ?? names.get(name.toLowerCase());
    if (baseUrl !== undefined) return baseUrl;
  }
  throw new Problem<OriginCode>(
    'invalid',
    'host-unknown',
    'This server does not answer under that host name. Add the name to CARESEAL_HOSTNAMES if it is right.',
    { httpStatus: 421 },
  );
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * For the users' door. Clients that are no browsers send no Fetch Metadata and carry no cookie by accident, so an absent
 * header is not refused; the `X-Careseal` header is demanded of everybody, because HTML forms cannot send it.
 */
export function checkBrowserOrigin(method: string, path: string, headers: IncomingHttpHeaders, baseUrl: string): void {
  const site = headers['sec-fetch-site'];
  const safe = SAFE.has(method);
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isPageVisit(safe, path, headers))
    throw crossSite();
  if (safe) return;
  // 'none' means typed into the address bar, which cannot be an unsafe request of our pages.
  if (site === 'none') throw crossSite();
  if (
    site === undefined &&
    headers.origin !== undefined &&
    headers.origin.toLowerCase() !== baseUrl &&
    !samePort(headers)
  )
    throw crossSite();
  // A browser adds no Authorization header by itself, and with one the cookie is not looked at: nothing can be ridden.
  if (headers.authorization !== undefined && /^bearer /i.test(headers.authorization)) return;
  if (headers['x-careseal'] !== '1')
    throw new Problem<OriginCode>('forbidden', 'csrf-header-missing', 'A change needs the header "X-Careseal: 1".');
}

/** A link from elsewhere (an e-mail, a wiki) may open a page; it may not fetch data. */
function isPageVisit(safe: boolean, path: string, headers: IncomingHttpHeaders): boolean {
  return (
    safe && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document' && !isDataPath(path)
  );
}

/** The Host header was checked already, so an origin equal to it is ours even behind a port mapping. */
function samePort(headers: IncomingHttpHeaders): boolean {
  return headers.origin === `https://${headers.host ?? ''}`;
}

/** Paths that answer data, never the web application. Of `/audit` only what monitors fetch: the rest of it is pages. */
export function isDataPath(path: string): boolean {
  return /^\/(?:(?:api|fhir|healthz|readyz|metrics)(?:[/?]|$)|audit\/log(?:[/?]|$))/.test(path);
}

function crossSite(): Problem<OriginCode> {
  return new Problem<OriginCode>(
    'forbidden',
    'cross-site',
    'This request came from another site and was not carried out.',
  );
}
