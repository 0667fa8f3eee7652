import { expect, it } from 'vitest';
import { Problem } from '../../kernel/problem.ts';
import { createLogger } from './index.ts';

function logged(format: 'json' | 'plain', act: (log: ReturnType<typeof createLogger>) => void): string {
  let text = '';
  act(createLogger({ level: 'info', format, write: (line) => void (text += line) }));
  return text;
}

it('writes JSON lines with a level, a time and the fields', () => {
  const line: unknown = JSON.parse(logged('json', (log) => log.with({ worker: 1 }).info('Started', { port: 8443 })));
  expect(line).toMatchObject({ level: 'info', message: 'Started', worker: 1, port: 8443 });
});

it('writes plain lines for people', () => {
  expect(logged('plain', (log) => log.warn('Slow', { ms: 12 }))).toMatch(/^\d\d:\d\d:\d\d warn Slow ms=12\n$/);
});

it('does not write what a level below asks for', () => {
  expect(logged('json', (log) => log.debug('no'))).toBe('');
});

it('keeps a Problem’s words and drops the message of anything else', () => {
  const cause = new SyntaxError('Unexpected token "Nakato"');
  const text = logged('json', (log) =>
    log.error('Failed', { error: new Problem('internal', 'x', 'Public.', { privateDetail: 'private', cause }) }),
  );
  expect(text).toContain('private');
  expect(text).toContain('SyntaxError');
  expect(text).not.toContain('Nakato');
});

it('redacts fields that should never have been logged', () => {
  const text = logged('json', (log) => log.info('x', { password: 'hunter2', user: { email: 'a@b.example' } }));
  expect(text).not.toMatch(/hunter2|a@b/);
});
