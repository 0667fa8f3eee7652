import type { RoundMaker, RoundToMake } from '../features/registry/index.ts';
import { startThread } from '../platform/threads/index.ts';
import type { KeySet } from '../store/index.ts';

export interface LoadMakerTask {
  readonly round: RoundToMake;
  /** Where they are not those of the task before. */
  readonly keys?: KeySet;
}

/** A group of 250 leaves some megabytes behind that nobody needs any more. */
const YOUNG_MEGABYTES = 96;

/** Makes and seals the rounds of a large load in a thread, while this one decides the next. Keys stay in this process. */
export function startLoadMaker(keys: () => KeySet): RoundMaker {
  const thread = startThread(new URL('./load-maker-thread.ts', import.meta.url), undefined, {
    youngMegabytes: YOUNG_MEGABYTES,
  });
  let given: KeySet | undefined;
  return {
    async make(round) {
      const now = keys();
      // What the registry's load session hands over.
      const asked = round as RoundToMake;
      const task: LoadMakerTask = now === given ? { round: asked } : { round: asked, keys: now };
      given = now;
      return await thread.run(task);
    },
    end: () => thread.end(),
  };
}
