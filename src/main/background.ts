import type { Logger } from '../platform/log/index.ts';
import { keepRotating } from './key-rotation.ts';
import type { Services } from './services.ts';

/** Work that one process per home does: numbering audit events, long jobs, mail, rotations of keys. Started where nobody else does it. */
export async function startBackground(services: Services, log: Logger): Promise<{ stop(): Promise<void> }> {
  services.audit.startSequencer();
  await services.jobs.start();
  await services.mail.start();
  const rotation = keepRotating(services, log);
  return {
    async stop() {
      await Promise.all([services.jobs.stop(), services.mail.stop(), rotation.stop()]);
      // Last, since stopping jobs is still recorded.
      await services.audit.stop();
    },
  };
}
