import type { DoorLog } from '../platform/http/index.ts';
import type { Logger } from '../platform/log/index.ts';

/** The doors' own shape of a log, fields first. */
export function doorLog(log: Logger): DoorLog {
  return {
    info: (fields, message) => log.info(message, { ...fields }),
    warn: (fields, message) => log.warn(message, { ...fields }),
    error: (fields, message) => log.error(message, { ...fields }),
  };
}
