import type { Command } from './command.ts';

export const domainAdd: Command = {
  name: 'domain add',
  summary: 'Make an identifier domain that no system owns',
  positional: ['SYSTEM'],
  options: {},
  json: true,
  help: `An open domain: a national identifier, say, which any system may tell of a person. A domain that one system owns is
made with \`careseal node add --domain\`.`,
  async run({ argument, out, withServices }) {
    const domain = await withServices(({ nodes, actor }) => nodes.domains.ensureForUsers(argument(0), actor));
    out.json({ system: domain.system });
    out.line(`${domain.system} is a domain of this organisation, open to all systems.`);
  },
};

export const domainAlias: Command = {
  name: 'domain alias',
  summary: 'Give an identifier domain another name',
  positional: ['ALIAS', 'SYSTEM'],
  options: { remove: { kind: 'flag', description: 'Take the alias back instead (SYSTEM is looked over)' } },
  json: true,
  help: `ALIAS is what others write, SYSTEM what is kept:
  careseal domain alias urn:oid:1.3.6.1.4.1.21367.1 http://moh.example/nid
  careseal domain alias hl7v2:CLINIC http://clinic.example/ids   (the namespace of HL7 v2 messages)`,
  async run({ argument, flag, out, withServices }) {
    const [alias, system] = [argument(0), argument(1)];
    await withServices(async ({ exchange, actor }) => {
      if (flag('remove')) await exchange.aliases.remove(actor, alias);
      else await exchange.aliases.set(actor, { alias, system });
    });
    out.json({ alias, ...(flag('remove') ? {} : { system }) });
    out.line(flag('remove') ? `${alias} is no other name any more.` : `${alias} is another name of ${system}.`);
  },
};

export const domainList: Command = {
  name: 'domain list',
  summary: 'List identifier domains and their other names',
  positional: [],
  options: {},
  json: true,
  async run({ out, withServices }) {
    const domains = await withServices(async ({ nodes, exchange }) => {
      const [table, aliases] = await Promise.all([nodes.domains.table(), exchange.aliases.table()]);
      return table.all().map(({ system, ownerNodeName }) => ({
        system,
        ...(ownerNodeName === undefined ? {} : { owner: ownerNodeName }),
        aliases: [...aliases].flatMap(([alias, named]) => (named === system ? [alias] : [])),
      }));
    });
    out.json({ domains });
    if (domains.length === 0)
      out.line('There are no domains yet. `careseal node add` and `careseal domain add` make them.');
    for (const { system, owner, aliases } of domains)
      out.line(
        [system, owner === undefined ? '(open)' : `(${owner})`, ...aliases.map((alias) => `= ${alias}`)].join('  '),
      );
  },
};
