import { expect, test } from 'vitest';
import type { NodeId } from '../../kernel/ids.ts';
import type { Principal } from '../../kernel/principal.ts';
import { Problem } from '../../kernel/problem.ts';
import { createRefusalReporter, type Refusal } from './refusals.ts';

const anonymous: Principal = { kind: 'anonymous', permissions: new Set() };
const node: Principal = {
  kind: 'node',
  nodeId: 'n' as NodeId,
  name: 'n',
  organisationId: 'o' as never,
  domains: [],
  permissions: new Set(),
  scopes: new Set(),
  certificateSha256: '',
};

function refusal(principal: Principal, address: string, code = 'route-unknown', status = 404): Refusal {
  return {
    actor: { principal, origin: { door: 'users', address, requestId: 'r' } },
    stage: 'request',
    method: 'GET',
    problem: new Problem('not-found', code, 'x'),
    status,
    count: 1,
  };
}

function reporter(keysMax = 500) {
  const written: Refusal[] = [];
  const failures: unknown[] = [];
  let broken = false;
  const made = createRefusalReporter({
    keysMax,
    record: async (one) => {
      if (broken) throw new Error('disk full');
      written.push(one);
    },
    onFailure: (error) => failures.push(error),
  });
  return { ...made, written, failures, fail: () => (broken = true) };
}

test('a flood from one address is two events a minute, and no refusal is lost from the count', async () => {
  const { report, flush, written, stop } = reporter();
  for (let i = 0; i < 10_000; i++) await report(refusal(anonymous, '192.0.2.1'));
  expect(written).toHaveLength(1);
  await flush();
  expect(written.map((one) => one.count)).toEqual([1, 9_999]);
  await report(refusal(anonymous, '192.0.2.1'));
  expect(written).toHaveLength(3);
  await stop();
});

test('a flood from many addresses stays bounded', async () => {
  const { report, flush, written, stop } = reporter(50);
  for (let i = 0; i < 20_000; i++) await report(refusal(anonymous, `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`));
  await flush();
  expect(written.length).toBeLessThanOrEqual(103);
  expect(written.reduce((sum, one) => sum + one.count, 0)).toBe(20_000);
  await stop();
});

test('different reasons and certificates are told apart', async () => {
  const { report, written, stop } = reporter();
  await report(refusal(anonymous, '192.0.2.1'));
  await report(refusal(anonymous, '192.0.2.1', 'host-unknown'));
  await report({ ...refusal(anonymous, '192.0.2.1'), certificateSha256: 'aa' });
  await report({ ...refusal(anonymous, '192.0.2.1'), certificateSha256: 'bb' });
  expect(written).toHaveLength(4);
  await stop();
});

test('each refusal of a known caller is written, but not each 429', async () => {
  const { report, written, stop } = reporter();
  for (let i = 0; i < 20; i++) await report(refusal(node, '192.0.2.1'));
  expect(written).toHaveLength(20);
  for (let i = 0; i < 20; i++) await report(refusal(node, '192.0.2.1', 'too-many-requests', 429));
  expect(written).toHaveLength(21);
  await stop();
});

test('a log that cannot be written does not turn the refusal into something else', async () => {
  const { report, failures, fail, stop } = reporter();
  fail();
  await expect(report(refusal(anonymous, '192.0.2.1'))).resolves.toBeUndefined();
  expect(failures).toHaveLength(1);
  await stop();
});

test('the end waits for what is being written, whoever reported it', async () => {
  const written: Refusal[] = [];
  const made = createRefusalReporter({
    record: async (one) => {
      await new Promise((resolve) => setImmediate(resolve));
      written.push(one);
    },
    onFailure: () => undefined,
  });
  void made.report(refusal(node, '192.0.2.1'));
  await made.stop();
  expect(written).toHaveLength(1);
});
