/**
 * A real Chromium for tests, from npm (`@sparticuz/chromium`), driven by playwright-core. Started once per test file; each
 * test gets a context of its own, so that cookies and storage are not shared.
 */
import chromiumBinary from '@sparticuz/chromium';
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

export async function startBrowser(): Promise<TestBrowser> {
  const browser = await chromium.launch({
    executablePath: await chromiumBinary.executablePath(),
    // In a container there are no user namespaces for Chromium's sandbox; the pages under test are our own.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--font-render-hinting=none', '--lang=en-GB'],
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
