const COLOURS: Readonly<Record<string, string>> = { warn: '\u001b[33m', error: '\u001b[31m', fatal: '\u001b[31m' };
const PLAIN = '\u001b[0m';

/** Turns one JSON line of the log into one a person reads: `10:04:05 warn message field=value`. */
export function plainLine(json: string, colour: boolean): string {
  const { level, time, message, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const clock = typeof time === 'string' ? time.slice(11, 19) : '';
  const rest = Object.entries(fields).map(
    ([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const label = String(level);
  const [on, off] = colour && COLOURS[label] !== undefined ? [COLOURS[label], PLAIN] : ['', ''];
  return `${clock} ${on}${label}${off} ${String(message)}${rest.join('')}\n`;
}
