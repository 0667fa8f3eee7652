import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { person } from '../support/registry.ts';
import { type SubscriptionsFixture, subscriptionsFixture } from '../support/subscriptions.ts';

let closed: SubscriptionsFixture;
let open: SubscriptionsFixture;
beforeAll(async () => {
  closed = await subscriptionsFixture([]);
  open = await subscriptionsFixture();
});
afterAll(async () => {
  await closed.close();
  await open.close();
});
const somebody = (key: string) =>
  person({ key: ['urn:subscribed', key], given: `G${key}`, family: `F${key}`, birthDate: '1960-06-06' });

describe('P46: an endpoint leads to no private network, holds up nobody else, and is told nothing it may not know', () => {
  test.each([
    'https://127.0.0.1/x',
    'https://localhost:8444/x',
    'https://sub.localhost/x',
    'https://[::1]/x',
    'https://[::ffff:127.0.0.1]/x',
    'https://10.1.2.3/x',
    'https://192.168.0.10/x',
    'https://172.20.0.1/x',
    'https://169.254.169.254/latest/meta-data/',
    'https://100.64.0.1/x',
    'https://[fd00::1]/x',
    'https://[fe80::1]/x',
    'https://0x7f000001/x',
    'https://2130706433/x',
    'http://example.org/x',
    'file:///etc/passwd',
    'https://user:password@example.org/x',
  ])('%s is refused when it is subscribed', async (endpoint) => {
    const answer = await closed.clinic.post('/fhir/Subscription', closed.resource({}, { endpoint }));
    expect(answer.status).toBe(422);
    expect(answer.text).not.toContain('password@');
  });
  test('a name that resolves to a private address gets no connection', async () => {
    // The system resolves names below .localhost to loopback; the guard sees the address, not the name.
    const made = await closed.clinic.post(
      '/fhir/Subscription',
      closed.resource({}, { endpoint: closed.subscriber.url.replace('localhost', 'ip6-localhost') }),
    );
    if (made.status === 201) {
      await closed.clinic.post('/fhir/Patient', somebody('rebound'));
      await closed.subscriptions.dispatcher.runOnce();
      const [row] = (await closed.subscriptions.deliveries.list({ limit: 1 })).deliveries;
      expect(row?.failure).toMatch(/^outbound-(forbidden|unreachable)$/);
    }
    expect(closed.subscriber.notices).toEqual([]);
  });
  test('one that never answers does not keep another from being told', async () => {
    open.subscriber.answer = ({ path }) => (path === '/hang' ? 'hang' : 200);
    for (const path of ['/hang', '/good'])
      await open.clinic.post('/fhir/Subscription', open.resource({}, { endpoint: `${open.subscriber.url}${path}` }));
    await open.subscriptions.dispatcher.start();
    await open.clinic.post('/fhir/Patient', somebody('a'));
    await expect.poll(() => open.subscriber.notices.filter(({ path }) => path === '/good').length).toBe(1);
    open.subscriber.answer = () => 200;
    await open.clinic.post('/fhir/Patient', somebody('b'));
    await expect.poll(() => open.subscriber.notices.filter(({ path }) => path === '/good').length).toBe(2);
    await open.subscriptions.dispatcher.stop();
  });
  test('pages and lists show neither endpoint, nor headers, nor whom a delivery is about', async () => {
    const shown = JSON.stringify([
      await open.subscriptions.deliveries.list({ limit: 100 }),
      await open.subscriptions.deliveries.subscribers(),
    ]);
    expect(shown).not.toContain(open.subscriber.url);
    const golden = (await open.clinic.get('/fhir/Patient?identifier=urn:subscribed|a')).json.entry[0].resource.id;
    expect(shown).not.toContain(golden);
  });
});
