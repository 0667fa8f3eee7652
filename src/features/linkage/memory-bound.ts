/** Work that keeps its data in memory ends, in plain words, rather than take more than it was allowed. */
import { Problem } from '../../kernel/problem.ts';

export interface MemoryBound {
  readonly maxBytes: number;
  /** What the process holds now, threads included. */
  readonly usedBytes: () => number;
}

const LOOK_EVERY_MS = 200;

/**
 * A signal that is aborted, with Problem `memory-bound` as its reason, once the bound is passed; the given one stays in force. What one
 * task takes until the next look comes on top: some tens of megabytes.
 */
export function watchMemory(
  bound: MemoryBound | undefined,
  signal: AbortSignal | undefined,
): { readonly signal: AbortSignal | undefined; end(): void } {
  if (bound === undefined) return { signal, end: () => {} };
  const passed = new AbortController();
  const timer = setInterval(() => {
    if (bound.usedBytes() > bound.maxBytes) passed.abort(memoryNeeded(bound.maxBytes));
  }, LOOK_EVERY_MS);
  return {
    signal: signal === undefined ? passed.signal : AbortSignal.any([passed.signal, signal]),
    end: () => clearInterval(timer),
  };
}

function memoryNeeded(maxBytes: number): Problem {
  return new Problem(
    'too-large',
    'memory-bound',
    `This needs more than the ${Math.round(maxBytes / 1e6)} MB of memory that were allowed, and was ended. Nothing was changed. ` +
      'Allow more, map fewer columns, or judge a part of the file.',
  );
}
