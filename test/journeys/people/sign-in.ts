import type { Hand } from '../../support/hands.ts';
import { heading } from '../../support/journey.ts';
import type { Colleague } from './stage.ts';

export async function signOut({ page }: Colleague, hand: Hand): Promise<void> {
  await hand.choose(page.getByRole('button', { name: /^Account:/ }), 'Sign out');
  await heading(page, 'Sign in').waitFor();
}

/** The first step at the sign-in page that is shown. */
export async function password({ page, account }: Colleague, hand: Hand): Promise<void> {
  await hand.type(page.getByLabel('E-mail'), account.email);
  await hand.type(page.getByLabel('Password', { exact: true }), account.password);
  await hand.press(page.getByRole('button', { name: 'Continue' }));
}

/** The second step, by the app. */
export async function code({ page, account }: Colleague, hand: Hand): Promise<void> {
  await hand.type(page.getByLabel('Code from your authenticator app'), await account.authenticator.code());
  await hand.press(page.getByRole('button', { name: 'Sign in', exact: true }));
}
