import { expect, test } from 'vitest';
import type { PackedPage, PackedSequencedEvent } from '../audit/index.ts';
import { createPages } from './read-ahead.ts';

/** A log that grows when told; answers out of turn where asked to. */
function growing(size: number) {
  const log = { size, asked: [] as number[], delay: (_from: number) => Promise.resolve() };
  const read = async (from: number, limit: number): Promise<PackedPage> => {
    log.asked.push(from);
    const next = Math.max(from, Math.min(from + limit, log.size));
    await log.delay(from);
    const indices = Array.from({ length: next - from }, (_, i) => from + i);
    return { next, events: indices.map((index) => ({ index }) as PackedSequencedEvent) };
  };
  return { log, read };
}
const indices = ({ events }: PackedPage) => events.map(({ index }) => index);

test('every leaf comes once and in order, whichever page the database answers first, and the end is looked at again', async () => {
  const { log, read } = growing(25);
  log.delay = (from) => new Promise((resolve) => setTimeout(resolve, from === 10 ? 15 : 0));
  const pages = createPages({ read, from: 0, limit: 5, ahead: 3 });
  const met: number[] = [];
  for (let page = await pages.next(); page.events.length > 0; page = await pages.next()) met.push(...indices(page));
  log.size = 32;
  for (let page = await pages.next(); page.events.length > 0; page = await pages.next()) met.push(...indices(page));
  expect(met).toEqual(Array.from({ length: 32 }, (_, i) => i));
});

test('nothing is read ahead before a page was full, and no more than asked for after', async () => {
  const { log, read } = growing(3);
  const pages = createPages({ read, from: 0, limit: 5, ahead: 3 });
  await pages.next();
  await pages.next();
  expect(log.asked).toEqual([0, 3]);
  log.size = 1_000;
  await pages.next();
  expect(log.asked).toEqual([0, 3, 3, 8, 13, 18]);
});

test('a page that grew short meanwhile is not followed by one that leaves a gap', async () => {
  const { log, read } = growing(12);
  const pages = createPages({ read, from: 0, limit: 5, ahead: 3 });
  expect(indices(await pages.next())).toEqual([0, 1, 2, 3, 4]);
  // Asked for while the log had 12: what was read ahead ends there.
  expect(indices(await pages.next())).toEqual([5, 6, 7, 8, 9]);
  log.size = 40;
  const rest: number[] = [];
  for (let i = 0; i < 4; i++) rest.push(...indices(await pages.next()));
  expect(rest).toEqual(Array.from({ length: rest.length }, (_, i) => 10 + i));
});

test('a page that fails is told of when its turn comes, and asked for again', async () => {
  const { log, read } = growing(40);
  const pages = createPages({ read, from: 0, limit: 5, ahead: 3 });
  log.delay = (from) => (from === 10 ? Promise.reject(new Error('away')) : Promise.resolve());
  expect(indices(await pages.next())[0]).toBe(0);
  expect(indices(await pages.next())[0]).toBe(5);
  await expect(pages.next()).rejects.toThrow('away');
  log.delay = () => Promise.resolve();
  expect(indices(await pages.next())).toEqual([10, 11, 12, 13, 14]);
});
