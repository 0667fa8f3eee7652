import { createHeadMail } from '../features/audit/index.ts';
import { systemClock } from '../platform/clock.ts';
import type { Logger } from '../platform/log/index.ts';
import { keepBinding } from './bind-clients.ts';
import { keepRotating } from './key-rotation.ts';
import { keepNodes } from './node-upkeep.ts';
import type { SequencerThread } from './sequencer.ts';
import { keepKeys } from './models.ts';
import type { Services } from './services.ts';

/** Work that one process per home does: numbering audit events, long jobs, mail, rotations of keys. Started where nobody else does it. */
export async function startBackground(
  services: Services,
  log: Logger,
  options: { readonly sequencer?: SequencerThread } = {},
): Promise<{ stop(): Promise<void> }> {
  const { sequencer } = options;
  const { audit, database, mail, config } = services;
  const headMail = createHeadMail({
    ...{ database, mail, clock: systemClock, recipients: config.auditHeadRecipients },
    onFailure: (error) => log.error('The head of the audit log could not be mailed', { error }),
  });
  if (sequencer === undefined) audit.startSequencer();
  else {
    audit.startWitnessing();
    headMail.start();
  }
  await services.jobs.start();
  await services.models.jobs.start();
  await keepKeys(services.models, log);
  await services.mail.start();
  await services.exchange.subscriptions.dispatcher.start();
  services.exchange.mediator?.start();
  const rotation = keepRotating(services, log);
  const nodes = keepNodes(services, log);
  const binding = keepBinding(services, log);
  return {
    async stop() {
      await Promise.all([
        services.jobs.stop(),
        services.models.jobs.stop(),
        services.mail.stop(),
        services.exchange.subscriptions.dispatcher.stop(),
        services.exchange.mediator?.stop(),
        rotation.stop(),
        nodes.stop(),
        binding.stop(),
        headMail.stop(),
      ]);
      // Last, since stopping jobs is still recorded.
      await sequencer?.stop();
      await services.audit.stop();
    },
  };
}
