import type { Transaction } from '../../platform/db/sql.ts';
import type { Clock } from '../../kernel/time.ts';
import { instant } from '../../kernel/time.ts';

/** The part of platform/mail that identity uses. */
export interface MailOut {
  readonly configured: boolean;
  enqueue(
    tx: Transaction,
    mail: { kind: string; to: string; subject: string; text: string; expiresMs?: number },
  ): Promise<boolean>;
}

/** Where no mail server is set up. */
export const NO_MAIL: MailOut = { configured: false, enqueue: async () => false };

/** What a person is told of changes to their own sign-in (SP 800-63B-4 §4.6, ASVS 5.0 V6.3.7). */
const TOLD = {
  'factor-added': 'A second factor was added to your account.',
  'factor-removed': 'A second factor was removed from your account.',
  'recovery-code-used': 'A recovery code was used to sign in to your account. It does not work again.',
  'recovery-codes-made': 'New recovery codes were made for your account. The ones before no longer work.',
  'password-changed': 'The password of your account was changed.',
  'password-reset': 'The password of your account was set anew through a link. You were signed out everywhere.',
  'sign-in-reset': 'An administrator has reset the sign-in of your account. You were signed out everywhere.',
  'factor-reset': 'An administrator has removed the second factors of your account. You were signed out everywhere.',
  'account-disabled': 'Your access has been ended by an administrator.',
  'account-enabled': 'Your access has been given back by an administrator.',
  'exception-granted': 'Your account may be used without a second factor for a while.',
  'identity-linked': 'An account at an identity provider was linked with your account here. It opens your account.',
  'identity-waits':
    'Through an administrator’s link, an account at an identity provider was linked with your account here. It opens nothing until you sign in and confirm it on your profile. If you know nothing of it, remove it there.',
  'new-device': 'Somebody signed in to your account from a browser that was not used before.',
} as const;
export type Told = keyof typeof TOLD;

export interface Teller {
  readonly mail: MailOut;
  readonly clock: Clock;
}

/** Queues the notice with the act it tells of. No name, no address of the reader, nothing that helps whoever reads over a shoulder. */
export async function tellUser(tx: Transaction, { mail, clock }: Teller, email: string, what: Told): Promise<boolean> {
  const text = [
    TOLD[what],
    '',
    `When: ${instant(clock.nowMs())} (UTC)`,
    '',
    'If this was you or was agreed with you, there is nothing to do.',
    'If not, tell an administrator at once, and change your password if you still can sign in.',
    '',
    'Careseal never asks for a password or a code by e-mail.',
  ].join('\n');
  return await mail.enqueue(tx, {
    kind: `user.${what}`,
    to: email,
    subject: 'Careseal: a change to your sign-in',
    text,
  });
}

/** A one-time link by mail. */
export async function mailLink(
  tx: Transaction,
  { mail }: Pick<Teller, 'mail'>,
  link: {
    readonly to: string;
    readonly url: string;
    readonly expiresMs: number;
    readonly why: 'invitation' | 'password' | 'factor';
  },
): Promise<boolean> {
  const text = [
    LINK_TEXTS[link.why],
    '',
    link.url,
    '',
    `The link works once, until ${instant(link.expiresMs)} (UTC). Do not pass it on.`,
    link.why === 'invitation' ? '' : 'If you did not ask for this, do nothing, and tell an administrator.',
  ].join('\n');
  const message = { kind: `user.link.${link.why}`, to: link.to, subject: LINK_SUBJECTS[link.why], text };
  return await mail.enqueue(tx, { ...message, expiresMs: link.expiresMs });
}

const LINK_SUBJECTS = {
  invitation: 'Careseal: your invitation',
  password: 'Careseal: choose a new password',
  factor: 'Careseal: set up a second factor',
} as const;
const LINK_TEXTS = {
  invitation: 'You have been invited to Careseal. This link lets you choose a password and set up a second factor:',
  password: 'This link lets you choose a new password. You also need your second factor:',
  factor: 'This link lets you set up a new second factor. You also need your password:',
} as const;
