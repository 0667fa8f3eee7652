import type { EndingCertificate } from '../features/nodes/index.ts';
import type { Logger } from '../platform/log/index.ts';

/** The line in the log when a node's last certificate comes within 30, 14 or 7 days of its end. */
export function tellOfEnding(log: Pick<Logger, 'warn'>): (ending: EndingCertificate) => void {
  return ({ nodeId, sha256, days }) =>
    log.warn('The last certificate of a node ends soon', { nodeId, certificate: sha256, days });
}
