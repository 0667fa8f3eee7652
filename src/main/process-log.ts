import { isatty } from 'node:tty';
import { type Config, surroundings } from '../platform/config/index.ts';
import { createLogger, type Logger } from '../platform/log/index.ts';

/** This process's log on standard error, as the settings ask for. */
export function processLogger(config: Config): Logger {
  const terminal = isatty(2);
  const format = config.logFormat === 'auto' ? (terminal ? 'plain' : 'json') : config.logFormat;
  return createLogger({ level: config.logLevel, format, colour: terminal && !surroundings().noColour });
}
