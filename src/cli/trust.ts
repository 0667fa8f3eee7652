import { readFileSync } from 'node:fs';
import type { NodeId } from '../kernel/ids.ts';
import { Problem } from '../kernel/problem.ts';
import type { CommandServices } from '../main/index.ts';
import type { Command } from './command.ts';
import { invalid, readInput } from './node-files.ts';

export const trustList: Command = {
  name: 'trust list',
  summary: 'List authorities of others and whom they speak for',
  positional: [],
  options: {},
  json: true,
  async run({ out, withServices }) {
    const { authorities, names } = await withServices(async ({ nodes, actor }) => {
      const listed = await nodes.listNodes(actor);
      return { ...(await nodes.foreign.list(actor)), names: new Map(listed.nodes.map(({ id, name }) => [id, name])) };
    });
    out.json({ authorities });
    if (authorities.length === 0) out.line('No authority but Careseal’s own is trusted.');
    for (const authority of authorities) {
      const state = authority.intact ? '' : '  CHANGED BY SOMEBODY ELSE, ignored';
      out.line(`${authority.name}  ${authority.subject}  until ${date(authority.notAfterMs)}${state}`);
      for (const rule of authority.rules)
        out.line(`  ${rule.attribute}=${rule.value} is ${names.get(rule.nodeId) ?? rule.nodeId}`);
    }
  },
};

export const trustAdd: Command = {
  name: 'trust add',
  summary: 'Trust the authority of somebody else; its name rules say for which nodes',
  positional: ['NAME'],
  options: {
    certificate: {
      kind: 'value',
      valueName: 'FILE',
      required: true,
      description: 'Its certificate, PEM: the one that signs',
    },
    'accept-long': {
      kind: 'flag',
      description: 'Take its certificates of more than two years, and end them after two',
    },
    'crl-required': {
      kind: 'flag',
      description: 'Refuse all of it while its list of revoked certificates is missing or over',
    },
  },
  json: true,
  async run({ argument, required, flag, out, withServices }) {
    const wanted = {
      name: argument(0),
      certificate: readInput(required('certificate')),
      acceptLong: flag('accept-long'),
      crlRequired: flag('crl-required'),
    };
    const { authorities } = await withServices(({ nodes, actor }) => nodes.foreign.add(actor, wanted));
    out.json({ authorities });
    out.line(`"${argument(0)}" is trusted. Say for which node, by the name in its certificate:`);
    out.line(`  careseal trust rule "${argument(0)}" --node NAME --cn COMMON-NAME`);
  },
};

export const trustRule: Command = {
  name: 'trust rule',
  summary: 'A certificate of this authority with this name is this node',
  positional: ['AUTHORITY'],
  options: {
    node: { kind: 'value', valueName: 'NAME', required: true, description: 'The node' },
    cn: { kind: 'value', valueName: 'TEXT', description: 'Common name, exactly' },
    dns: { kind: 'value', valueName: 'TEXT', description: 'DNS name among the alternative names, exactly' },
    uri: { kind: 'value', valueName: 'TEXT', description: 'URI among the alternative names, exactly' },
    email: { kind: 'value', valueName: 'TEXT', description: 'E-mail address among the alternative names, exactly' },
  },
  json: true,
  async run({ argument, required, value, out, withServices }) {
    const given = (['cn', 'dns', 'uri', 'email'] as const).flatMap((attribute) => {
      const text = value(attribute);
      return text === undefined ? [] : [{ attribute, value: text }];
    });
    const [name] = given;
    if (name === undefined || given.length > 1)
      throw invalid([{ path: [], message: 'Give one of --cn, --dns, --uri, --email' }]);
    const { authorities } = await withServices(async (services) => {
      const authorityId = await authorityNamed(services, argument(0));
      const nodeId = await nodeNamed(services, required('node'));
      return services.nodes.foreign.addRule(services.actor, { authorityId, nodeId, ...name });
    });
    out.json({ authorities });
    out.line(
      `A certificate of "${argument(0)}" with ${name.attribute}=${name.value} is "${required('node')}" from now on.`,
    );
  },
};

export const trustCrl: Command = {
  name: 'trust crl',
  summary: 'Take over an authority’s newest list of revoked certificates, or fetch its lists from an address',
  positional: ['AUTHORITY', 'FILE|URL|off'],
  options: {},
  json: true,
  async run({ argument, out, withServices }) {
    const where = argument(1);
    const isUrl = /^https?:\/\//i.test(where);
    const { authorities } = await withServices(async (services) => {
      const { foreign } = services.nodes;
      const id = await authorityNamed(services, argument(0));
      if (isUrl || where === 'off') return foreign.setCrlUrl(services.actor, id, isUrl ? where : null);
      return foreign.setCrl(services.actor, id, new Uint8Array(readFileSync(where)));
    });
    out.json({ authorities });
    if (where === 'off') out.line(`Lists of "${argument(0)}" are given by hand from now on.`);
    else out.line(`The list of "${argument(0)}" is in use${isUrl ? ', and fetched anew every hour' : ''}.`);
  },
};

export const trustRemove: Command = {
  name: 'trust remove',
  summary: 'Trust an authority of somebody else no longer, from the next request on',
  positional: ['AUTHORITY'],
  options: { reason: { kind: 'value', valueName: 'TEXT', required: true, description: 'Why; kept in the audit log' } },
  json: true,
  async run({ argument, required, out, withServices }) {
    const { authorities } = await withServices(async (services) =>
      services.nodes.foreign.remove(services.actor, await authorityNamed(services, argument(0)), required('reason')),
    );
    out.json({ authorities });
    out.line(`"${argument(0)}" is trusted no longer.`);
  },
};

async function authorityNamed({ nodes, actor }: CommandServices, name: string): Promise<string> {
  const { authorities } = await nodes.foreign.list(actor);
  const found = authorities.find((authority) => authority.name.toLowerCase() === name.toLowerCase());
  if (found === undefined)
    throw new Problem('not-found', 'authority-unknown', `No trusted authority is called "${name}".`);
  return found.id;
}

async function nodeNamed({ nodes, actor }: CommandServices, name: string): Promise<NodeId> {
  const listed = await nodes.listNodes(actor);
  const found = listed.nodes.find((node) => node.name.toLowerCase() === name.toLowerCase() && node.state !== 'revoked');
  if (found === undefined) throw new Problem('not-found', 'node-unknown', `There is no node "${name}".`);
  return found.id;
}

function date(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
