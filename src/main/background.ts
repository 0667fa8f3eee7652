import type { Services } from './services.ts';

/** Work that one process per home does: numbering audit events, long jobs. Started where nobody else does it. */
export async function startBackground(services: Services): Promise<{ stop(): Promise<void> }> {
  services.audit.startSequencer();
  await services.jobs.start();
  return {
    async stop() {
      await services.jobs.stop();
      // Last, since stopping jobs is still recorded.
      await services.audit.stop();
    },
  };
}
