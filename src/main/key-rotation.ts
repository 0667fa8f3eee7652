import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '../platform/log/index.ts';
import { createKeyRotation, type KeyRotation, type ResealReport } from '../store/index.ts';
import { rootKeySource } from './root-key.ts';
import { type Services, system } from './services.ts';

export interface RotationOptions {
  /** Where the root key comes from a passphrase: the one it comes from after its rotation. */
  readonly nextPassphrase?: string;
}

/** Key rotation over everything the features keep sealed or blind. */
export async function keyRotation(
  services: Pick<Services, 'config' | 'database' | 'vault' | 'resealParticipants'>,
  options: RotationOptions = {},
): Promise<KeyRotation> {
  const { config, database, vault, resealParticipants: participants } = services;
  return createKeyRotation({ database, vault, participants, rootKey: await rootKeySource(config, options) });
}

const LOOK_EVERY_MS = 60_000;

/**
 * Goes on with a rotation whose process ended before it: at start, and whenever one is found unfinished. Two runners of one
 * rotation take turns by batches, so it does no harm beside the command that began it.
 */
export function keepRotating(services: Services, log: Logger): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const working = (async () => {
    const rotation = await keyRotation(services);
    while (!stopping.signal.aborted) {
      try {
        const report = await rotation.resume({ signal: stopping.signal });
        if (report?.finished === true) await recordEnd(services, report);
      } catch (error) {
        log.error('A rotation of keys waits', { error });
      }
      await pause(LOOK_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await working;
    },
  };
}

async function recordEnd({ audit }: Services, report: ResealReport): Promise<void> {
  const actor = system();
  const outcome = report.left.length === 0 ? 'success' : 'minor-failure';
  const detail = { what: report.kind, rows: String(report.rows) };
  await audit.recordNow([{ actor, event: 'keys.rotate', action: 'E', outcome, detail }]);
}
