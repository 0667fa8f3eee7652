import { AddTarget } from '../features/atna/index.ts';
import { Problem } from '../kernel/problem.ts';
import type { CommandServices } from '../main/index.ts';
import type { Command } from './command.ts';
import { invalid, readInput } from './node-files.ts';

/** Where the audit log goes besides (ITI-20). */
export const forwardingList: Command = {
  name: 'forwarding list',
  summary: 'Where audit events are sent to, and how far',
  positional: [],
  options: {},
  json: true,
  async run({ out, withServices }) {
    const { targets } = await withServices(({ logFollowers, actor }) => logFollowers.atna.targets.list(actor));
    out.json({ targets });
    if (targets.length === 0) out.line('Audit events are sent nowhere else.');
    for (const one of targets) {
      const state = one.failure === undefined ? '' : `  FAILS: ${one.failure} since ${one.failingSince ?? '?'}`;
      const paused = one.paused ? '  paused' : '';
      out.line(
        `${one.name}  ${one.protocol}://${one.host}:${one.port}${one.path}  ${one.waiting} waiting${paused}${state}`,
      );
    }
  },
};

export const forwardingAdd: Command = {
  name: 'forwarding add',
  summary: 'Send audit events to another audit repository (IHE ATNA, ITI-20)',
  positional: ['NAME'],
  options: {
    to: {
      kind: 'value',
      valueName: 'ADDRESS',
      required: true,
      description: 'tls://HOST:PORT, tcp://HOST:PORT, udp://HOST:PORT, or https://HOST:PORT/PATH for FHIR',
    },
    authority: {
      kind: 'value',
      valueName: 'FILE',
      description: 'Certificate authorities to trust, PEM; else those of the system',
    },
    event: { kind: 'value', valueName: 'NAMES', description: 'Only these, divided by commas: client.read, client.*' },
    failures: { kind: 'flag', description: 'Only what was refused or failed' },
    everything: { kind: 'flag', description: 'From the beginning of the log, not from now on' },
  },
  json: true,
  async run({ argument, required, value, flag, out, withServices }) {
    const authority = value('authority');
    const wanted = AddTarget.safeParse({
      name: argument(0),
      ...addressOf(required('to')),
      authorities: authority === undefined ? '' : readInput(authority),
      filter: {
        events: (value('event') ?? '')
          .split(',')
          .map((one) => one.trim())
          .filter(Boolean),
        outcome: flag('failures') ? 'failure' : 'all',
      },
      from: flag('everything') ? 'beginning' : 'now',
    });
    if (!wanted.success) throw invalid(wanted.error.issues);
    const { target } = await withServices(({ logFollowers, actor }) =>
      logFollowers.atna.targets.add(actor, wanted.data),
    );
    out.json({ target });
    out.line(`Audit events go to "${target.name}" from ${flag('everything') ? 'the beginning of the log' : 'now'} on.`);
  },
};

export const forwardingRemove: Command = {
  name: 'forwarding remove',
  summary: 'Send audit events there no longer',
  positional: ['NAME'],
  options: {},
  json: true,
  async run({ argument, out, withServices }) {
    await withServices(async (services) => {
      const { targets } = services.logFollowers.atna;
      return targets.remove(services.actor, await targetNamed(services, argument(0)));
    });
    out.json({ removed: argument(0) });
    out.line(`Nothing is sent to "${argument(0)}" any more. What it has stays there.`);
  },
};

const PROTOCOLS: Readonly<Record<string, string>> = { 'tls:': 'tls', 'tcp:': 'tcp', 'udp:': 'udp', 'https:': 'fhir' };

function addressOf(text: string): { protocol: string; host: string; port: number; path: string } {
  const url = URL.parse(text);
  const protocol = PROTOCOLS[url?.protocol ?? ''];
  if (url === null || protocol === undefined)
    throw invalid([{ path: ['to'], message: 'tls://, tcp://, udp:// or https:// and a host is needed' }]);
  const port = url.port === '' ? (protocol === 'fhir' ? 443 : 6514) : Number(url.port);
  const path = protocol === 'fhir' && url.pathname !== '/' ? url.pathname : '';
  return { protocol, host: url.hostname.replace(/^\[|\]$/g, ''), port, path };
}

async function targetNamed({ logFollowers, actor }: CommandServices, name: string): Promise<string> {
  const { targets } = await logFollowers.atna.targets.list(actor);
  const found = targets.find((target) => target.name.toLowerCase() === name.toLowerCase());
  if (found === undefined)
    throw new Problem('not-found', 'target-not-found', `Nothing is sent to anybody called "${name}".`);
  return found.id;
}
