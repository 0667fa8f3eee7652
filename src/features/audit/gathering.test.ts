import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createGathering } from './gathering.ts';

function place() {
  let waiting = 0;
  const left: number[] = [];
  const gathering = createGathering(() => {
    left.push(waiting);
    waiting = 0;
  });
  return {
    left,
    join: () => gathering.joined(++waiting),
    served: (count: number) => gathering.served(count, waiting),
  };
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

test('who comes alone leaves after a few turns, again and again', async () => {
  const { left, join, served } = place();
  for (let i = 1; i <= 3; i++) {
    join();
    await turns(6);
    expect(left).toEqual(Array(i).fill(1));
    served(1);
  }
});

test('those who come together leave together, and who comes meanwhile waits for them to be served', async () => {
  const { left, join, served } = place();
  for (let i = 0; i < 5; i++) join();
  await turns(6);
  join();
  await turns(6);
  expect(left).toEqual([5]);
  served(5);
  await turns(6);
  expect(left).toEqual([5]);
  for (let i = 0; i < 5; i++) join();
  expect(left).toEqual([5, 6]);
});

test('those who do not come back are waited for a moment only, once', async () => {
  const { left, join, served } = place();
  for (let i = 0; i < 5; i++) join();
  await turns(6);
  served(5);
  join();
  await expect.poll(() => left, { interval: 5 }).toEqual([5, 1]);
  served(1);
  join();
  await turns(6);
  expect(left).toEqual([5, 1, 1]);
});
