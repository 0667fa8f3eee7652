import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';
import { expect } from 'vitest';
import { ANSWERED_CHANNEL, type RouteAnswer } from '../../src/platform/http/answer.ts';

/**
 * Runs in front of every test file. Where CARESEAL_ANSWERED_ROUTES names a file, each route that answered through a door, with the
 * event it wrote, is added to it together with the test: `scripts/route-events.ts` makes the golden list from these lines.
 */
const file = process.env['CARESEAL_ANSWERED_ROUTES'];
const seen = new Set<string>();

if (file !== undefined) {
  subscribe(ANSWERED_CHANNEL, (message) => {
    // Published by the door, in this shape.
    const { method, path, event, events } = message as RouteAnswer;
    const test = relative(process.cwd(), expect.getState().testPath ?? '');
    const line = [method, path, event, events.includes(event) ? 'written' : `wrote ${events.join('+')}`, test].join(
      ' | ',
    );
    if (seen.has(line)) return;
    seen.add(line);
    appendFileSync(file, `${line}\n`);
  });
}
