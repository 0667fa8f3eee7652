import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '../platform/log/index.ts';
import { type Services, system } from './services.ts';

const TOLD_EVERY_MS = 30_000;
const AGAIN_AFTER_MS = 60_000;

/**
 * Binds whose clients are, as an earlier version wrote it, to the keys of the home; once in the life of an installation, while it
 * serves. Some thousands a second; the log says how far it has come.
 */
export function keepBinding({ registry, audit }: Services, log: Logger): { stop(): Promise<void> } {
  const stopping = new AbortController();
  let toldMs = Date.now();
  const onProgress = (goldens: number): void => {
    if (Date.now() - toldMs < TOLD_EVERY_MS) return;
    toldMs = Date.now();
    log.info('Clients of an earlier version are being bound to the keys of this home', { goldens });
  };
  const bind = async (): Promise<void> => {
    const goldens = await registry.bindEarlier({ signal: stopping.signal, onProgress });
    if (goldens === undefined || goldens === 0) return;
    log.info('Clients of an earlier version are bound to the keys of this home', { goldens });
    const detail = { rows: String(goldens) };
    await audit.recordNow([{ actor: system(), event: 'registry.bound', action: 'U', outcome: 'success', detail }]);
  };
  const working = (async () => {
    while (!stopping.signal.aborted) {
      try {
        return await bind();
      } catch (error) {
        log.error('Clients of an earlier version could not be bound yet; it is tried again', { error });
        await pause(AGAIN_AFTER_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await working;
    },
  };
}
