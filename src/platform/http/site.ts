import { readFileSync, readdirSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import { assetHeaders, pageHeaders, pagePolicy, type HeaderSet } from './headers.ts';

/**
 * The built web application, read into memory at start. A request is looked up by its whole path, so a file that was not
 * there at start cannot be served, whatever dots or encodings the path is made of.
 */
export interface Site {
  /** The file for this path; for a page's address the application itself; `undefined` when neither. */
  find(path: string, acceptEncoding: string | undefined): SiteAnswer | undefined;
}

export interface SiteAnswer {
  readonly headers: HeaderSet;
  readonly body: Buffer;
  readonly etag?: string;
}

interface SiteFile {
  readonly headers: HeaderSet;
  readonly body: Buffer;
  readonly etag: string;
  readonly compressible: boolean;
  gzip?: { readonly headers: HeaderSet; readonly body: Buffer };
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
};
const COMPRESSIBLE = /^(?:text\/|application\/(?:json|manifest)|image\/svg)/;
/** Files to take away, the verifier for outsiders: saved and never run here, since its page is none of this origin. */
const TAKEN_AWAY = '/verify/';
const NONCE_PLACEHOLDER = '__CSP_NONCE__';

export interface SiteOptions {
  /** dist/web as vite wrote it. */
  readonly directory: string;
  /** 128 random bits as text, new for each page; needed only when index.html holds the placeholder `__CSP_NONCE__`. */
  readonly makeNonce: () => string;
}

export function loadSite(options: SiteOptions): Site {
  const files = new Map<string, SiteFile>();
  for (const path of filePaths(options.directory)) {
    const url = `/${relative(options.directory, path).split(sep).join('/')}`;
    if (url !== '/index.html' && !url.endsWith('.map')) files.set(url, readSiteFile(path, url));
  }
  const page = pageMaker(readFileSync(join(options.directory, 'index.html'), 'utf8'), options.makeNonce);
  return {
    find(path, acceptEncoding) {
      const file = files.get(path);
      if (file !== undefined) return encode(file, acceptEncoding);
      // A path with an extension asks for a file; a page for it would hide that the file is missing.
      return /\.[A-Za-z0-9]{1,12}$/.test(path) && path !== '/index.html' ? undefined : page(acceptEncoding);
    },
  };
}

function filePaths(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function readSiteFile(path: string, url: string): SiteFile {
  const body = readFileSync(path);
  const type = TYPES[extname(path)] ?? 'application/octet-stream';
  const immutable = url.startsWith('/assets/');
  const etag = `"${body.length.toString(36)}-${checksum(body).toString(36)}"`;
  return {
    headers: { ...assetHeaders(immutable), 'content-type': type, etag, ...attachment(url) },
    body,
    etag,
    compressible: COMPRESSIBLE.test(type) && body.length > 1_000,
  };
}

function attachment(url: string): HeaderSet {
  return url.startsWith(TAKEN_AWAY)
    ? { 'content-disposition': `attachment; filename="${url.slice(TAKEN_AWAY.length)}"` }
    : {};
}

/** FNV-1a: tells builds apart for a cache; nothing secret or security relevant hangs on it. */
function checksum(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

function encode(file: SiteFile, acceptEncoding: string | undefined): SiteAnswer {
  if (!file.compressible || !acceptsGzip(acceptEncoding)) return file;
  file.gzip ??= {
    headers: { ...file.headers, 'content-encoding': 'gzip', vary: 'accept-encoding' },
    body: gzipSync(file.body, { level: 9 }),
  };
  return { ...file.gzip, etag: file.etag };
}

function acceptsGzip(acceptEncoding: string | undefined): boolean {
  return acceptEncoding !== undefined && /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(acceptEncoding);
}

function pageMaker(html: string, makeNonce: () => string): (acceptEncoding: string | undefined) => SiteAnswer {
  const headers = { ...pageHeaders(), 'content-type': 'text/html; charset=utf-8' };
  if (!html.includes(NONCE_PLACEHOLDER)) {
    const answer: SiteAnswer = { headers, body: Buffer.from(html) };
    return () => answer;
  }
  return () => {
    const nonce = makeNonce();
    return {
      headers: { ...headers, 'content-security-policy': pagePolicy(nonce) },
      body: Buffer.from(html.replaceAll(NONCE_PLACEHOLDER, nonce)),
    };
  };
}
