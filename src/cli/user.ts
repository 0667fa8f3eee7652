import {
  type ChangeUser,
  type UserOutcome,
  userEntry,
  userLinkAnswer,
  userUnknown,
} from '../features/identity/index.ts';
import { EmailAddress, PersonName, RoleList, type UserEntry } from '../features/identity/wire.ts';
import { ROLES } from '../kernel/access.ts';
import { Problem } from '../kernel/problem.ts';
import { instant } from '../kernel/time.ts';
import type { CommandServices } from '../main/index.ts';
import type { Command, Output } from './command.ts';

export const userAdd: Command = {
  name: 'user add',
  summary: 'Invite a person: makes the account and prints a one-time enrolment link',
  positional: ['NAME'],
  options: {
    email: { kind: 'value', valueName: 'ADDRESS', required: true, description: 'E-mail address, used to sign in' },
    role: { kind: 'value', valueName: 'ROLE', required: true, description: `${ROLES.join(', ')}; several with commas` },
  },
  json: true,
  help: `The person opens the link, chooses a password and sets up a second factor. The link works once and for three days;
hand it over by a way that only this person reads. \`careseal user invite-again\` makes a new one.`,
  async run({ argument, required, out, withServices }) {
    const person = {
      name: parsed(PersonName.safeParse(argument(0)), 'NAME has 1 to 120 characters that can be shown.'),
      email: parsed(EmailAddress.safeParse(required('email')), '--email is not an e-mail address.'),
      roles: parsed(
        RoleList.safeParse(required('role').split(',')),
        `--role is one or more of: ${ROLES.join(', ')}, with commas, each once.`,
      ),
    };
    await withServices(async ({ identity, actor, baseUrl }) => {
      printLink(out, await identity.users.add(actor, person, baseUrl), 'The account was made.');
    });
  },
};

/** Everybody: a programme has tens of thousands at most. */
const LISTED_MAX = 1_000_000;

export const userList: Command = {
  name: 'user list',
  summary: 'List the users with their roles and state',
  positional: [],
  options: {},
  json: true,
  async run({ out, withServices }) {
    const users = await withServices(async ({ identity, actor }) => {
      const { users: listed, organisations } = await identity.users.list(actor, { limit: LISTED_MAX });
      return listed.map((user) => userEntry(user, organisations));
    });
    out.json({ users });
    if (users.length === 0) out.line('There are no users yet; `careseal setup` prints the link for the first one.');
    for (const line of table(users)) out.line(line);
  },
};

export const userDisable = change('disable', {
  summary: 'End a person’s access, effective with their next request',
  help: 'Sessions end at once. The account stays, for the log; `careseal user enable` gives the access back.',
  done: 'The access has ended.',
});
export const userEnable = change('enable', {
  summary: 'Give a disabled person their access back',
  help: 'They sign in with the password and second factor they had.',
  done: 'The person may sign in again.',
});
export const userReset = change('reset', {
  summary: 'Let a person set a new password and second factor, by a one-time link',
  help: `For a lost password or second factor. The old ones, the recovery codes and all sessions end at once. This is also how
the last administrator comes back.`,
  done: 'Password, second factor and sessions of this person have ended.',
});
export const userInviteAgain = change('invite-again', {
  summary: 'Print a new enrolment link for a person who has not enrolled yet',
  help: 'The link made before stops working.',
  done: 'The earlier link has ended.',
});

export const userRetire = change('retire', {
  summary: 'Retire a person who has left: nothing to sign in with stays, the name stays for the log',
  help: '`careseal user reset` brings a retired person back, by a new link. Nobody is ever deleted.',
  done: 'The person is retired.',
});
export const userResetFactor = change('reset-factor', {
  summary: 'Let a person enrol another second factor, by a one-time link and their password',
  help: `For a lost telephone. Authenticators, passkeys, recovery codes, trusted devices and all sessions end at once; the
password stays, and the link opens nothing without it. Hand it over by a way that only this person reads.`,
  done: 'The second factors of this person have ended.',
});
export const userRecover = change('recover', {
  summary: 'Bring an administrator back who cannot get in any more, also a disabled or retired one',
  help: `Works beside the running server. Password, second factors and sessions end, a one-time link is printed, and the audit
log says that it was done here. For people who are not administrators: \`careseal user reset\`.`,
  done: 'The account waits for its owner.',
});

export const userSessions: Command = {
  name: 'user sessions',
  summary: 'List the living sessions of a person, or end them',
  positional: ['EMAIL'],
  options: { end: { kind: 'flag', description: 'End all of them, known and trusted browsers included' } },
  json: true,
  help: 'Ending takes effect with the next request, in every process.',
  async run({ argument, flag, out, withServices }) {
    const sessions = await withServices(async (services) => {
      const found = await services.identity.findUserByEmail(argument(0));
      if (found === undefined) throw userUnknown();
      const { actor, identity, baseUrl, audit } = services;
      const living = await identity.sessionsOf(found.id);
      const entities = [{ reference: `User/${found.id}`, role: 'user' as const }];
      await audit.recordNow([{ actor, event: 'user.sessions', action: 'R', outcome: 'success', entities }]);
      if (flag('end')) await identity.users.change(actor, found.id, { kind: 'sessions-end' }, baseUrl);
      return living.map(({ id, method, startedMs, lastSeenMs, address, userAgent }) => {
        const times = { startedAt: instant(startedMs), lastSeenAt: instant(lastSeenMs) };
        return { id, method, ...times, address: address ?? null, userAgent: userAgent ?? null };
      });
    });
    out.json({ sessions, ended: flag('end') });
    if (sessions.length === 0) out.line('There are no sessions.');
    for (const one of sessions) {
      out.line(`${one.lastSeenAt}  ${one.method}  ${one.address ?? 'unknown'}  ${one.userAgent ?? ''}`.trimEnd());
    }
    if (flag('end') && sessions.length > 0) out.line('They have ended.');
  },
};

interface Words {
  readonly summary: string;
  readonly help: string;
  readonly done: string;
}

function change(
  kind: Exclude<ChangeUser['kind'], 'roles' | 'join' | 'leave'>,
  { summary, help, done }: Words,
): Command {
  return {
    name: `user ${kind}`,
    summary,
    positional: ['EMAIL'],
    options: {},
    json: true,
    help,
    async run({ argument, out, withServices }) {
      await withServices(async (services) => {
        const outcome = await changeByEmail(services, argument(0), { kind });
        if (outcome.link !== undefined) return printLink(out, outcome, done);
        out.json({ user: userEntry(outcome.user, outcome.organisations) });
        out.line(done);
      });
    },
  };
}

async function changeByEmail(services: CommandServices, email: string, act: ChangeUser): Promise<UserOutcome> {
  const found = await services.identity.findUserByEmail(email);
  if (found === undefined) throw userUnknown();
  return await services.identity.users.change(services.actor, found.id, act, services.baseUrl);
}

function printLink(out: Output, outcome: UserOutcome, done: string): void {
  const answer = userLinkAnswer(outcome);
  out.json(answer);
  const mailed = answer.mailed ? ' (also sent by e-mail)' : '';
  out.line(`${done} Give this person the link${mailed}; it works once, until ${answer.expiresAt}:`);
  out.line(`  ${answer.link}`);
}

function table(users: readonly UserEntry[]): string[] {
  const rows = users.map((user) => [
    user.name,
    user.email,
    user.roles.join(','),
    user.state,
    user.lastSignInAt ?? 'never',
  ]);
  const widths = [0, 1, 2, 3].map((at) => Math.max(0, ...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function parsed<T>(
  result: { readonly success: true; readonly data: T } | { readonly success: false },
  otherwise: string,
): T {
  if (result.success) return result.data;
  throw new Problem('invalid', 'usage', `${otherwise} Nothing was changed.`);
}
