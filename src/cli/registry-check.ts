import { type CheckReport, FAULT_WORDS, type PersonFaults } from '../features/registry/index.ts';
import type { Command, Output } from './command.ts';

/** Lines for people; all are in the JSON. */
const SHOWN_MAX = 50;

export const registryCheck: Command = {
  name: 'registry check',
  summary: 'Find clients that were changed in the database, past Careseal; while serving, and changes nothing',
  positional: [],
  options: {},
  json: true,
  help: `Every client is looked at: whether its rows fit their binding, whether its contents and those of its records open and belong
together, and whether anything belongs to nobody. Ends with 1 when something was found. No names are printed: ids lead to the client's page.`,
  async run({ out, signal, withServices }) {
    const report = await withServices(async ({ registry, audit, actor }) => {
      const found = await registry.check({
        signal,
        onProgress: (clients) => out.progress(`${clients} clients checked`),
      });
      const detail = {
        clients: String(found.clients),
        found: String(found.persons.length),
        domains: String(found.domains.length),
      };
      await audit.recordNow([{ actor, event: 'registry.check', action: 'E', outcome: 'success', detail }]);
      return found;
    });
    out.progress('');
    out.json(report);
    printReport(out, report);
    return isClean(report) ? 0 : 1;
  },
};

const isClean = ({ persons, domains, finished }: CheckReport): boolean =>
  finished && persons.length === 0 && domains.length === 0;

export function printReport(out: Output, { clients, records, persons, domains, finished }: CheckReport): void {
  out.line(`${clients} clients with ${records} records were checked${finished ? '' : ', then it was interrupted'}.`);
  for (const system of domains)
    out.line(`The domain ${system} was changed: nothing is filed in it, and its clients are refused.`);
  for (const person of persons.slice(0, SHOWN_MAX)) printPerson(out, person);
  if (persons.length > SHOWN_MAX) out.line(`… and ${persons.length - SHOWN_MAX} more: --json lists all.`);
  if (persons.length === 0 && domains.length === 0) {
    if (finished) out.line('Nothing was changed past Careseal.');
    return;
  }
  out.line('');
  out.line(
    `What failed: ${persons.length} clients and ${domains.length} domains are not as Careseal wrote them. They are refused, not shown.`,
  );
  out.line(
    `What is unharmed: the other clients${finished ? '' : ' that were looked at'}, and every sealed content that is not named above.`,
  );
  out.line('What to do: find out who wrote to the database, and change its passwords. Then');
  out.line('  careseal registry repair                          says what it would put right');
  out.line('  careseal registry repair --apply --reason "…"     puts it right');
  out.line('What it cannot decide comes back from a backup of before the change.');
}

function printPerson(out: Output, { goldenId, faults }: PersonFaults): void {
  for (const { kind, id } of faults) {
    const where = id === goldenId ? `client ${goldenId}` : `client ${goldenId}, record ${id}`;
    out.line(`${where}: ${FAULT_WORDS[kind]}`);
  }
}
