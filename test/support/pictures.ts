import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { PHONE, WIDE } from './browser.ts';

/**
 * Pictures of the pages as a journey meets them, for people to look at: `JOURNEY_PICTURES=DIR npm run test:journeys`.
 * Nothing is taken without that.
 */
const directory = process.env['JOURNEY_PICTURES'];

export async function picture(page: Page, name: string): Promise<void> {
  if (directory === undefined) return;
  mkdirSync(directory, { recursive: true });
  await page.waitForTimeout(250);
  await page.screenshot({ path: join(directory, `${name}-wide.png`), fullPage: true });
  await page.setViewportSize({ width: PHONE.width, height: PHONE.height });
  await page.waitForTimeout(250);
  await page.screenshot({ path: join(directory, `${name}-phone.png`), fullPage: true });
  await page.setViewportSize(WIDE);
  await page.waitForTimeout(100);
}
