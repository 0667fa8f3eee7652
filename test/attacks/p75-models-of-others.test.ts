import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/crypto/index.ts';
import { DEFAULT_MODEL } from '../../src/features/matching/index.ts';
import { type Programme, programme, type Who } from '../support/organisations.ts';

/**
 * P75: who is the same person is decided by one model for everybody. Nobody but central people may train, try or promote one, read its
 * reports, or see examples: these show other organisations' clients.
 */
let p: Programme;
beforeAll(async () => {
  p = await programme();
}, 120_000);
afterAll(() => p.close());

const id = newId();
const READS = [
  '/api/models',
  '/api/models/shadow',
  `/api/models/${id}`,
  `/api/models/${id}/document`,
  `/api/models/studies/${id}`,
  `/api/models/studies/${id}/examples/0`,
  `/api/models/shadow/examples/${id}`,
];
const WRITES: readonly (readonly [string, string, unknown])[] = [
  ['POST', '/api/models', { document: DEFAULT_MODEL }],
  ['POST', `/api/models/${id}/adjust`, { version: 'x', match: 0.9, review: 0.3 }],
  ['POST', '/api/models/train', { version: 'x' }],
  ['POST', '/api/models/simulate', { modelId: id }],
  ['POST', '/api/models/check-groups', {}],
  ['POST', `/api/models/studies/${id}/cancel`, undefined],
  ['POST', `/api/models/${id}/promote`, {}],
  ['POST', '/api/models/roll-back', {}],
  ['POST', '/api/models/re-link', {}],
  ['POST', `/api/models/re-link/${id}/cancel`, undefined],
  ['PUT', '/api/models/shadow', { modelId: null }],
];

describe.each<Who>(['north registrar', 'north steward', 'north administrator', 'south steward'])('%s', (who) => {
  test('reads nothing of models and begins nothing with them', async () => {
    for (const path of READS) expect((await p.ask(who, 'GET', path)).status, path).toBe(403);
    for (const [method, path, body] of WRITES) expect((await p.ask(who, method, path, body)).status, path).toBe(403);
  });
});

test('the centre’s administrator does, and what is not there is not found', async () => {
  expect((await p.ask('centre administrator', 'GET', '/api/models')).status).toBe(200);
  for (const path of READS.slice(2)) expect((await p.ask('centre administrator', 'GET', path)).status, path).toBe(404);
});

test('nothing of it is on the systems’ door', async () => {
  const answer = await p.send({ method: 'GET', path: '/fhir/api/models' });
  expect(answer.status).not.toBe(200);
});
