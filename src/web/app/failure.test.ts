import { describe, expect, it } from 'vitest';
import { failureOfAnswer, failureOfNetwork } from './failure.ts';

describe('a refusal in three parts', () => {
  it('says what the server said, what is unharmed, and what to do', () => {
    const failure = failureOfAnswer(409, {
      status: 409,
      code: 'domain-taken',
      detail: 'another node owns this domain',
    });
    expect(failure.text).toEqual({
      failed: 'Another node owns this domain.',
      unharmed: 'Nothing was changed.',
      todo: 'Look at the present state, then decide again.',
    });
  });

  it('has its own words for what people meet often', () => {
    const failure = failureOfAnswer(401, { status: 401, code: 'code-refused', detail: 'Wrong code.' });
    expect(failure.text.todo).toContain('next code');
  });

  it('tells how long to wait', () => {
    const headers = new Headers({ 'retry-after': '300' });
    expect(failureOfAnswer(429, undefined, headers).text.todo).toBe('Wait 5 minutes, then try again.');
  });

  it('never shows what an error page of a proxy contains, and keeps the number to ask with', () => {
    const failure = failureOfAnswer(500, { status: 500, code: 'internal', detail: 'secret', requestId: 'abc' });
    expect(Object.values(failure.text).join(' ')).not.toContain('secret');
    expect(failure.requestId).toBe('abc');
    expect(failureOfAnswer(502, '<html>').text.failed).toBe('The server could not finish this.');
  });

  it('keeps what was typed when the network is gone', () => {
    expect(failureOfNetwork(new TypeError('fetch')).text.unharmed).toContain('stays on this page');
  });
});
