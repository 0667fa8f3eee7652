import { HANDS } from '../../support/hands.ts';
import { openAccount } from '../../support/journey.ts';
import type { Stage } from './stage.ts';

interface Invited {
  readonly link: string;
}

/** Clinics, roles and people for each hand, made by asking the server: how people make them is another test's. */
export async function staff(stage: Stage): Promise<void> {
  for (const { name: hand } of HANDS) {
    const { organisation } = (await post(stage, '/api/organisations', { name: `Clinic by ${hand}` })) as {
      organisation: { id: string };
    };
    const reader = { name: `Reader by ${hand}`, about: '', permissions: ['client.read'] };
    const { role } = (await post(stage, '/api/roles', reader)) as { role: { id: string } };
    await post(stage, '/api/users', {
      ...{ name: `Imported by ${hand}`, email: `imported-${hand}@example.org`, roles: ['steward'] },
      organisationId: organisation.id,
    });
    const person = { name: `Newcomer by ${hand}`, email: `${hand}@example.org` };
    const invited = await post(stage, '/api/users', {
      ...{ ...person, roles: ['registrar', 'steward', role.id], organisationId: organisation.id },
    });
    const somebody = await stage.newcomer();
    const { link } = invited as Invited;
    const account = await openAccount(somebody.page, { ...person, link, password: 'nine kingfishers at the weir' });
    stage.colleagues.set(hand, { ...somebody, account });
    const forgetful = { name: `Forgetful by ${hand}`, email: `forgetful-${hand}@example.org` };
    const also = await post(stage, '/api/users', {
      ...{ ...forgetful, roles: ['registrar'], organisationId: organisation.id },
    });
    const other = await stage.newcomer();
    const password = 'eight swifts above the mill';
    stage.others.set(hand, {
      ...other,
      account: await openAccount(other.page, { ...forgetful, link: (also as Invited).link, password }),
    });
  }
}

async function post({ administrator: { page } }: Stage, path: string, body: object): Promise<unknown> {
  return await page.evaluate(
    async ([to, text]) => {
      const headers = { 'content-type': 'application/json', 'x-careseal': '1' };
      const answer = await fetch(to, { method: 'POST', headers, body: text });
      if (!answer.ok) throw new Error(`${to} answered ${answer.status}: ${await answer.text()}`);
      return (await answer.json()) as unknown;
    },
    [path, JSON.stringify(body)] as const,
  );
}
