import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HANDS } from '../../support/hands.ts';
import { openStage, type Stage, type Task } from './stage.ts';

/** Works each task with each hand, all on one product, and sees to it that the other hand was not used. */
export function workTasks(tasks: readonly Task[], prepare?: (stage: Stage) => Promise<void>): void {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage();
    await prepare?.(stage);
  }, 240_000);
  afterAll(async () => {
    await stage?.close();
  });

  describe.each(tasks)('$point: the $who $task', ({ work }) => {
    beforeEach(async () => {
      for (const watched of stage.watched) await watched.used();
    });
    it.each(HANDS)(
      'by $name only',
      async (hand) => {
        await work(stage, hand);
        const other = hand.name === 'mouse' ? 'keyboard' : 'mouse';
        for (const watched of stage.watched)
          expect((await watched.used()).filter((one) => one.startsWith(other))).toEqual([]);
      },
      120_000,
    );
  });
}
