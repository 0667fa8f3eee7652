import { type Identity, userUnknown } from '../features/identity/index.ts';
import { NetworksRequest, NoticeRequest, RequirementRequest } from '../features/identity/wire-policy.ts';
import { Problem } from '../kernel/problem.ts';
import type { Command } from './command.ts';

const usage = (detail: string): Problem => new Problem('invalid', 'usage', `${detail} Nothing was changed.`);

/** What the operator names is the e-mail address of a person; the policy goes by ids. */
async function userIdOf(identity: Identity, email: string): Promise<string> {
  const found = await identity.findUserByEmail(email);
  if (found === undefined) throw userUnknown();
  return found.id;
}

export const policyRequire: Command = {
  name: 'policy require',
  summary:
    'Second factor of a role, an organisation or a person: required, optional, off, or none (no rule of its own)',
  positional: ['SCOPE', 'WHO', 'LEVEL'],
  options: {},
  json: true,
  help: `SCOPE is role, organisation or user. WHO is a role’s name or id, an organisation’s id, or an e-mail address.
The strictest rule that applies to a person wins. Example: careseal policy require role auditor required`,
  async run({ argument, out, withServices }) {
    const requirements = await withServices(async ({ identity, actor }) => {
      const [scope, who, level] = [argument(0), argument(1), argument(2)];
      const scopeId = scope === 'user' ? await userIdOf(identity, who) : who;
      const wanted = RequirementRequest.safeParse({ scope, scopeId, secondFactor: level === 'none' ? null : level });
      if (!wanted.success)
        throw usage('SCOPE is role, organisation or user; LEVEL is required, optional, off or none.');
      const { secondFactor, ...at } = wanted.data;
      await identity.policy.setRequirement(actor, at, secondFactor ?? undefined);
      return identity.policy.requirements();
    });
    out.json({ requirements });
    for (const one of requirements) out.line(`${one.scope} ${one.scopeId}: ${one.secondFactor}`);
    if (requirements.length === 0) out.line('There are no rules besides the setting for all.');
  },
};

export const policyNetworks: Command = {
  name: 'policy networks',
  summary: 'Networks from which a door or a role may be used',
  positional: ['SCOPE', 'WHO'],
  options: {
    allow: { kind: 'value', valueName: 'NETWORKS', description: 'Such as 192.0.2.0/24, several with commas' },
    any: { kind: 'flag', description: 'Any network again' },
  },
  json: true,
  help: `SCOPE and WHO are: door users, door nodes, role NAME. Without an option, shows what holds.
Example: careseal policy networks door users --allow 192.0.2.0/24,2001:db8::/32`,
  async run({ argument, value, flag, out, withServices }) {
    const networks = await withServices(async ({ identity, actor }) => {
      const allowed = value('allow')
        ?.split(',')
        .map((one) => one.trim());
      if (allowed !== undefined || flag('any')) {
        const wanted = NetworksRequest.safeParse({
          ...{ scope: argument(0), scopeId: argument(1) },
          networks: flag('any') ? [] : allowed,
        });
        if (!wanted.success) throw usage('SCOPE and WHO are: door users, door nodes, role NAME.');
        await identity.setNetworks(actor, wanted.data);
      }
      await identity.policy.refresh();
      return identity.policy.networks();
    });
    out.json({ networks });
    for (const one of networks) out.line(`${one.scope} ${one.scopeId}: ${one.networks.join(' ')}`);
    if (networks.length === 0) out.line('Any network may be used.');
  },
};

/** The command line has no pages. */
const ALL = { limit: 1_000_000, offset: 0 } as const;

export const policyException: Command = {
  name: 'policy exception',
  summary: 'Let a person do without a required second factor for a while, end that, or list who may',
  positional: ['EMAIL?'],
  options: {
    reason: { kind: 'value', valueName: 'TEXT', description: 'Why; shown in the report' },
    days: { kind: 'value', valueName: 'N', description: 'Until then; at most 90' },
    end: { kind: 'value', valueName: 'ID', description: 'Ends the exception of this id' },
  },
  json: true,
  help: 'Without an address, lists the exceptions. The person is told by e-mail, and the log has both ends.',
  async run({ optionalArgument, value, out, withServices }) {
    const exceptions = await withServices(async ({ identity, actor }) => {
      const [email, end] = [optionalArgument(0), value('end')];
      if (end !== undefined) await identity.exceptions.end(actor, end);
      if (email !== undefined) {
        const found = await identity.findUserByEmail(email);
        if (found === undefined) throw userUnknown();
        const reason = value('reason')?.trim() ?? '';
        const days = Number(value('days') ?? '');
        if (reason === '' || !Number.isInteger(days) || days < 1) throw usage('--reason and --days are needed.');
        await identity.exceptions.grant(actor, { userId: found.id, reason, endsMs: Date.now() + days * 86_400_000 });
      }
      const { body } = await identity.exceptions.list(actor, ALL);
      return body.exceptions.map((one) => ({ ...one, approvedBy: one.approvedBy ?? null }));
    });
    out.json({ exceptions });
    for (const one of exceptions) out.line(`${one.id}  ${one.state}  until ${one.endsAt}  ${one.name}: ${one.reason}`);
    if (exceptions.length === 0) out.line('There are no exceptions.');
  },
};

export const noticePublish: Command = {
  name: 'notice publish',
  summary: 'Publish a notice that people must have read before they go on',
  positional: ['TITLE', 'TEXT'],
  options: {
    role: { kind: 'value', valueName: 'ROLES', description: 'Only for these, with commas; default: everybody' },
  },
  json: true,
  async run({ argument, value, out, withServices }) {
    const roles = value('role')?.split(',') ?? [];
    const notice = NoticeRequest.safeParse({ title: argument(0), text: argument(1), roles });
    if (!notice.success) throw usage('A title has 1 to 120 characters, a text 1 to 4000.');
    const { notices } = await withServices(async ({ identity, actor }) => {
      await identity.notices.publish(actor, notice.data);
      return (await identity.notices.list(actor, { limit: 1, offset: 0 })).body;
    });
    out.json({ notice: notices[0] });
    out.line('Published. Nobody it is for goes on before they have read it.');
  },
};

export const noticeList: Command = {
  name: 'notice list',
  summary: 'Notices, whom they are for, and how many have acknowledged them',
  positional: [],
  options: {},
  json: true,
  async run({ out, withServices }) {
    const { notices } = await withServices(
      async ({ identity, actor }) => (await identity.notices.list(actor, ALL)).body,
    );
    out.json({ notices });
    if (notices.length === 0) out.line('There are no notices.');
    for (const one of notices) {
      const whom = one.roles.length === 0 ? 'everybody' : one.roles.join(', ');
      out.line(`${one.id}  ${one.withdrawn ? 'withdrawn' : 'for ' + whom}  read by ${one.acknowledged}  ${one.title}`);
    }
  },
};

export const noticeWithdraw: Command = {
  name: 'notice withdraw',
  summary: 'Withdraw a notice; who has acknowledged it stays in the log',
  positional: ['ID'],
  options: {},
  json: true,
  async run({ argument, out, withServices }) {
    await withServices(({ identity, actor }) => identity.notices.withdraw(actor, argument(0)));
    out.json({ withdrawn: argument(0) });
    out.line('Withdrawn.');
  },
};
