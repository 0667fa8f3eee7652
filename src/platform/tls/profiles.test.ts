import { constants } from 'node:crypto';
import { expect, test } from 'vitest';
import { NO_RENEGOTIATION, NO_TICKET } from './profiles.ts';

test('the constants are OpenSSL’s', () => {
  expect(NO_TICKET).toBe(constants.SSL_OP_NO_TICKET);
  expect(NO_RENEGOTIATION).toBe(constants.SSL_OP_NO_RENEGOTIATION);
});
