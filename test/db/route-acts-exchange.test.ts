import { expect, it } from 'vitest';
import { operator } from '../../src/main/services.ts';
import { receiptEvents } from '../../src/platform/http/audited.ts';
import { handled } from '../support/handled.ts';
import { modelsFixture } from '../support/models.ts';
import { person } from '../support/registry.ts';
import { subscriptionsFixture } from '../support/subscriptions.ts';

/** Acts over deliveries and matching models that need something to act on: each writes the event its route declares. */
it('a delivery that failed is looked at, and sent again', async () => {
  const s = await subscriptionsFixture();
  try {
    await s.clinic.post('/fhir/Subscription', s.resource());
    s.subscriber.answer = () => 400;
    const fields = { given: 'Vbece', family: 'Wbece', birthDate: '1931-05-06' };
    await s.clinic.post('/fhir/Patient', person({ ...fields, key: ['urn:subscribed', 'd-1'] }));
    // Refused for good three times, it is put aside.
    for (let day = 0; day < 4; day += 1) {
      await s.subscriptions.dispatcher.runOnce();
      s.f.clock.forward(86_400_000);
    }
    const [dead] = (await s.subscriptions.deliveries.list({ state: 'dead', limit: 10 })).deliveries;
    for (const [key, event] of [
      ['GET /api/deliveries/:id', 'delivery.list'],
      ['POST /api/deliveries/:id/rerun', 'delivery.rerun'],
    ] as const) {
      const route = s.subscriptions.routes.find(({ method, path }) => `${method} ${path}` === key);
      if (route === undefined) throw new Error(`There is no route ${key}`);
      const reply = await handled(route, { actor: operator(), params: { id: dead?.id }, query: {} });
      expect(receiptEvents(reply.audited)).toContain(event);
    }
  } finally {
    await s.close();
  }
});

it('a model is downloaded, and another is made of it by moving its limits', async () => {
  const f = await modelsFixture();
  try {
    const { models } = await f.call<{ models: { id: string }[] }>('GET /api/models');
    const params = { id: models[0]?.id ?? '' };
    expect(await f.call('GET /api/models/:id/document', { params })).toBeTruthy();
    const body = { version: 'adjusted-1', match: 0.97, review: 0.5 };
    const { model } = await f.call<{ model: { origin: string } }>('POST /api/models/:id/adjust', { params, body });
    expect(model.origin).toBe('adjusted');
  } finally {
    await f.close();
  }
});
