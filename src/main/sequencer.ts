import { Worker } from 'node:worker_threads';
import type { AuditDeps } from '../features/audit/index.ts';
import type { FromSequencer, SequencerData } from './sequencer-messages.ts';

export interface SequencerThread {
  /** Takes what was committed into the tree, then ends. */
  stop(): Promise<void>;
}

interface ThreadDeps extends SequencerData {
  readonly onFailure: AuditDeps['onFailure'];
}

/** A thread that died is started again, ever more slowly. */
const AGAIN_MS = 1_000;
const AGAIN_MS_MAX = 60_000;
const STOP_MS_MAX = 15_000;

/** Numbers audit events in a thread of its own, for as long as the server runs. */
export function startSequencerThread({ onFailure, ...data }: ThreadDeps): SequencerThread {
  let stopping = false;
  let deaths = 0;
  let timer: NodeJS.Timeout | undefined;
  let worker = start();

  function start(): Worker {
    const thread = new Worker(new URL('./sequencer-thread.ts', import.meta.url), {
      workerData: data,
      // A few hundred rows at a time make little garbage; by default 48 MB of it would be left to gather.
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
    });
    let reason: unknown = new Error('The thread that numbers audit events ended');
    // Sent by our own thread.
    thread.on('message', (message: FromSequencer) => {
      if (message.kind === 'failure') onFailure(message.code, message.error);
      if (message.kind === 'started') deaths = 0;
    });
    thread.once('error', (error) => {
      reason = error;
    });
    thread.once('exit', () => {
      if (stopping) return;
      onFailure('sequencing-failed', reason);
      timer = setTimeout(again, Math.min(AGAIN_MS * 2 ** deaths++, AGAIN_MS_MAX));
    });
    return thread;
  }

  function again(): void {
    if (!stopping) worker = start();
  }

  return {
    async stop() {
      stopping = true;
      clearTimeout(timer);
      await stopped(worker);
      await worker.terminate();
    },
  };
}

/** Until the thread has ended its work, or nobody would wait any longer. */
function stopped(thread: Worker): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, STOP_MS_MAX);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    thread.on('message', (message: FromSequencer) => {
      if (message.kind === 'stopped') done();
    });
    thread.once('exit', done);
    // After an exit that went before, nothing answers, and `terminate` says so at once.
    if (thread.threadId === -1) done();
    else {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      thread.postMessage('stop');
    }
  });
}
