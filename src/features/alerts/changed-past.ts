import type { SequencedEvent } from '../audit/index.ts';
import type { AuditEventSummary } from '../audit/wire.ts';
import type { Finding } from './model.ts';

/** What was changed, in words that fit into a sentence; by `what` of the event. Pure. */
export const CHANGED_WORDS: Readonly<Record<string, string>> = {
  account: 'an account',
  credentials: 'the ways in of an account',
  membership: 'what an account may do',
  organisation: 'an organisation',
  role: 'a role',
  session: 'a session',
  'pre-session': 'a sign-in under way',
  link: 'a one-time link',
  'trusted-device': 'a trusted device',
  exception: 'an exception from the second factor',
  emergency: 'an emergency access',
  'personal-token': 'a personal access token',
  provider: 'an identity provider',
  'external-identity': 'an identity at a provider',
  visit: 'a sign-in at a provider',
  policy: 'the rules of signing in',
  client: 'whose a client is',
  domain: 'whose a domain is',
  share: 'with whom a client is shared',
  'related-person': 'a related person',
  model: 'which matching model decides',
  history: 'the history of a client',
  alert: 'an alert',
  recipients: 'who gets mails about alerts',
  notice: 'a notice to people',
  node: 'the registration of a system',
  rule: 'a rule for alerts',
  target: 'a receiver of the audit log',
};

const REPAIR = ', and `careseal registry repair` on the server puts it right';
/** What to do now, where a command does it. */
const MENDED_BY: Readonly<Record<string, string>> = {
  client: REPAIR,
  domain: REPAIR,
  model: ': the model that came with the program decides, until one is promoted under Matching model',
};

/** One plain sentence. Names nobody, and repeats nothing of what stands in the row. */
export const changedSentence = (what: string): string =>
  `Somebody has changed ${CHANGED_WORDS[what] ?? 'something'} in the database, past Careseal; the change is not followed${MENDED_BY[what] ?? ''}`;

const TOLD: ReadonlySet<string> = new Set(['identity.changed', 'registry.changed']);
/** Whether an event tells of a row that is not as Careseal wrote it: nobody was refused by it. */
export const tellsOfChange = (event: string): boolean => TOLD.has(event);

/** An event of a row that is not as Careseal wrote it, as an alert of its own for each row. */
export function changedPast({ event }: SequencedEvent, summary: AuditEventSummary): Finding | undefined {
  const { detail = {}, reason } = summary;
  if (event === 'node.authenticate' && reason === 'registration-changed')
    return finding('node', detail['certificate'] ?? '', summary);
  return tellsOfChange(event) ? finding(detail['what'] ?? event, detail['id'] ?? '', summary) : undefined;
}

function finding(what: string, id: string, { client = [], entities = [] }: AuditEventSummary): Finding {
  const account = entities.find((one) => one.startsWith('User/'))?.slice('User/'.length);
  return {
    rule: 'changed-past',
    subject: `${what} ${id}`,
    what: changedSentence(what),
    about: {
      // Whoever's account it is does not judge it. Their name is not in the event.
      ...(account === undefined
        ? {}
        : { actor: { kind: 'user', id: account, name: 'the account concerned' } as const }),
      ...(client[0] === undefined ? {} : { client: client[0] }),
    },
  };
}
