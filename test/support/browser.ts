/**
 * A real Chromium for tests, from npm (`@sparticuz/chromium`), driven by playwright-core. Started once per test file; each
 * test gets a context of its own, so that cookies and storage are not shared.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { connect } from 'node:tls';
import chromiumBinary from '@sparticuz/chromium';
import type axe from 'axe-core';
import { type Browser, type BrowserContext, type Page, chromium } from 'playwright-core';

export interface TestBrowser {
  readonly browser: Browser;
  newPage(options?: PageOptions): Promise<TestPage>;
  close(): Promise<void>;
}

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
  readonly reducedMotion?: boolean;
  readonly touch?: boolean;
}

export interface TestPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Everything that went wrong in the page: script errors, console errors, refused by the content security policy. */
  readonly faults: string[];
}

export const WIDE = { width: 1440, height: 900 } as const;
export const PHONE = { width: 390, height: 844, touch: true } as const;

/** How long is waited for anything on a page. A machine with other work needs more than a person would wait. */
const PATIENCE_MS = 60_000;

export interface BrowserOptions {
  /** Hashes of servers' keys (`serverKeys`) that count as trusted: pages with a certificate error get no passkeys. */
  readonly trustedKeys?: readonly string[];
}

/** SHA-256 of the public key that the server at this address shows, base64, as Chromium's command line names it. */
export async function serverKeys(url: string): Promise<readonly string[]> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), servername: hostname, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  const key = new X509Certificate(raw).publicKey.export({ type: 'spki', format: 'der' });
  return [createHash('sha256').update(key).digest('base64')];
}

export async function startBrowser({ trustedKeys = [] }: BrowserOptions = {}): Promise<TestBrowser> {
  const trust = trustedKeys.length === 0 ? [] : [`--ignore-certificate-errors-spki-list=${trustedKeys.join(',')}`];
  const browser = await chromium.launch({
    executablePath: await chromiumBinary.executablePath(),
    // In a container there are no user namespaces for Chromium's sandbox; the pages under test are our own.
    args: [
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-gpu',
      '--font-render-hinting=none',
      '--lang=en-GB',
      ...trust,
    ],
    headless: true,
  });
  return {
    browser,
    newPage: async (options = {}) => {
      const context = await browser.newContext({
        viewport: { width: options.width ?? WIDE.width, height: options.height ?? WIDE.height },
        colorScheme: options.colorScheme ?? 'light',
        reducedMotion: (options.reducedMotion ?? true) ? 'reduce' : 'no-preference',
        hasTouch: options.touch ?? false,
        locale: 'en-GB',
        timezoneId: 'Africa/Kampala',
        ignoreHTTPSErrors: true,
        acceptDownloads: true,
      });
      context.setDefaultTimeout(PATIENCE_MS);
      const page = await context.newPage();
      const faults: string[] = [];
      page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
      page.on('console', (message) => {
        if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) {
          faults.push(`console: ${message.text()}`);
        }
      });
      return { page, context, faults };
    },
    close: () => browser.close(),
  };
}

export interface AccessibilityFinding {
  readonly rule: string;
  readonly help: string;
  readonly where: readonly string[];
}

/** Puts axe-core into every page of the context. As an init script, because the pages' policy forbids foreign scripts. */
export async function withAxe(context: BrowserContext): Promise<void> {
  await context.addInitScript({ path: createRequire(import.meta.url).resolve('axe-core/axe.min.js') });
}

/** WCAG 2.2 A and AA and axe's best practices on what the page shows now; `[]` is what we want. */
export async function accessibilityFindings(page: Page): Promise<readonly AccessibilityFinding[]> {
  return page.evaluate(async () => {
    const results = await window.axe.run(document, { resultTypes: ['violations'] });
    return results.violations.map((violation) => ({
      rule: violation.id,
      help: violation.help,
      where: violation.nodes.slice(0, 4).map((node) => `${node.target.join(' ')}: ${node.failureSummary ?? ''}`),
    }));
  });
}

declare global {
  interface Window {
    /** Put there by `withAxe`. */
    readonly axe: typeof axe;
  }
}
