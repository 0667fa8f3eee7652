import type { NotMended, Repaired } from '../features/registry/index.ts';
import { Problem } from '../kernel/problem.ts';
import { type CommandServices, repairEvidence } from '../main/index.ts';
import type { Command, Invocation, Output } from './command.ts';

const SHOWN_MAX = 50;

const CANNOT: Readonly<Record<NotMended, string>> = {
  'no-content': 'no sealed content of it is left',
  'deleted-since': 'it says that it was deleted, and nothing proves whether Careseal did: the audit log tells',
  'record-content-lost': 'the newest content of one of its records is lost',
  'claimed-twice':
    'one of its records belongs to another client that is whole: an older state of this one was put back',
  'foreign-record': 'a record was put to it that nothing proves the client of',
  'domain-altered': 'it has records of a domain that was changed and cannot be mended',
  'still-at-fault': 'it would still not hold together',
};

interface Outcome {
  readonly applied: boolean;
  readonly domains: readonly { readonly system: string; readonly mended: boolean }[];
  readonly clients: readonly Repaired[];
}

export const registryRepair: Command = {
  name: 'registry repair',
  summary: 'Put clients right that were changed in the database, past Careseal; says what it would do, or does it',
  positional: [],
  options: {
    apply: { kind: 'flag', description: 'Do it; without, nothing is written' },
    reason: {
      kind: 'value',
      valueName: 'TEXT',
      description: 'With --apply: why; goes into the log and the history of each client',
    },
  },
  json: true,
  help: `What a changed row says is never believed. Where the binding is still there, what fits it is what Careseal wrote: it is put back
exactly. Where it is not, the client is made again from its sealed contents: its shares are gone, and a record is seen by an organisation
only if the audit log and the record's own identifiers agree that this organisation registered it; otherwise only by central people,
until it comes again from its system or a steward shares the client. Each client is put right by itself, with an entry in its history and
an event in the log; what nothing proves stays refused. May run while the server serves, and again.`,
  async run(invocation) {
    const { out, flag, withServices } = invocation;
    const reason = invocation.value('reason')?.trim();
    if (flag('apply') && (reason === undefined || reason === ''))
      throw new Problem('invalid', 'usage', '--apply needs --reason: why, for the log and the history of each client.');
    const outcome = await withServices((services) => repair(services, invocation, flag('apply') ? reason : undefined));
    out.progress('');
    out.json(outcome);
    print(out, outcome);
    return outcome.clients.some((one) => one.outcome === 'cannot') || outcome.domains.some((one) => !one.mended)
      ? 1
      : 0;
  },
};

/** `reason` missing: a dry run. */
async function repair(
  services: CommandServices,
  { out, signal }: Invocation,
  reason: string | undefined,
): Promise<Outcome> {
  const { registry, actor } = services;
  const domains = await repairDomains(services, reason);
  const onProgress = (clients: number) => out.progress(`${clients} clients checked`);
  const { persons } = await registry.check({ signal, onProgress });
  const clients = await registry.repair(persons, {
    evidence: repairEvidence(services),
    ...(reason === undefined ? {} : { apply: { actor, reason } }),
    signal,
    onProgress: (done) => out.progress(`${done} clients looked into`),
  });
  // Those fit again as soon as their domain is put back.
  const settled = reason === undefined && domains.every((one) => one.mended);
  const left = clients.filter((one) => !(settled && one.outcome === 'cannot' && one.why === 'domain-altered'));
  return { applied: reason !== undefined, domains, clients: left };
}

async function repairDomains(
  { nodes, identity, database, audit, actor, asOwner }: CommandServices,
  reason: string | undefined,
): Promise<Outcome['domains']> {
  const organisations = await identity.directory.organisations(database);
  const altered = await nodes.domains.altered(organisations.map(({ id }) => id));
  const proven = altered.filter((one) => one.proven !== undefined);
  if (reason !== undefined && proven.length > 0) {
    await audit.recordNow(
      proven.map(({ id }) => ({
        ...{ actor, event: 'registry.repair', action: 'U', outcome: 'success', reason, detail: { basis: 'binding' } },
        entities: [{ reference: `Domain/${id}`, role: 'security-resource' as const }],
      })),
    );
    await asOwner((owner) => nodes.domains.mend(owner, proven));
  }
  return altered.map(({ system, proven: was }) => ({ system: was?.system ?? system, mended: was !== undefined }));
}

function print(out: Output, { applied, domains, clients }: Outcome): void {
  const done = applied ? 'was' : 'would be';
  for (const { system, mended } of domains)
    out.line(
      mended
        ? `The domain ${system} ${done} put back as its binding says.`
        : `The domain ${system} cannot be put right: nothing says whose it was. Put its row of nodes.domain back from a backup.`,
    );
  for (const one of clients.slice(0, SHOWN_MAX)) out.line(sentence(one, done));
  if (clients.length > SHOWN_MAX) out.line(`… and ${clients.length - SHOWN_MAX} more: --json lists all.`);
  const cannot = clients.filter((one) => one.outcome === 'cannot').length;
  if (clients.length === 0 && domains.length === 0) out.line('There is nothing to put right.');
  else out.line(`${clients.length - cannot} clients ${applied ? 'were' : 'would be'} put right, ${cannot} cannot be.`);
  if (!applied && clients.length > cannot) out.line('Nothing was written: --apply --reason "…" does it.');
  if (cannot > 0) out.line('What cannot be put right stays refused: put it back from a backup of before the change.');
}

function sentence(one: Repaired, done: string): string {
  if (one.outcome === 'cannot') return `client ${one.goldenId}: cannot be put right, ${CANNOT[one.why]}.`;
  if (one.basis === 'binding') return `client ${one.goldenId}: ${done} put back exactly as Careseal wrote it.`;
  const central =
    one.unplaced.length === 0 ? '' : `; ${one.unplaced.length} of its records seen by central people only`;
  return `client ${one.goldenId}: ${done} made again from its sealed contents, shared with nobody${central}.`;
}
