import type { HoldId } from '../features/audit/index.ts';
import { parseId } from '../kernel/ids.ts';
import { Problem } from '../kernel/problem.ts';
import { instant } from '../kernel/time.ts';
import type { Command } from './command.ts';

const REASON = { kind: 'value', valueName: 'TEXT', required: true, description: 'Why; goes into the log' } as const;
const CLIENT = { kind: 'value', valueName: 'ID', description: 'Id of a client' } as const;

export const auditErase: Command = {
  name: 'audit erase',
  summary: 'Destroy what old events, or those about a client, say',
  positional: [],
  options: {
    client: { ...CLIENT, description: 'Erase what the events about this client say' },
    before: {
      kind: 'value',
      valueName: 'DATE',
      description: 'Erase what events before this day (UTC) say: 2019-12-31',
    },
    person: {
      kind: 'value',
      valueName: 'NAME',
      description:
        'Erase what received events about this person say, by an identifier as their sender writes it: SYSTEM|VALUE',
    },
    reason: REASON,
  },
  json: true,
  help: `Contents are destroyed; commitments stay, so the tree, every signed head and every proof stay valid, and verify says how many
events were erased. What other systems sent to this audit repository goes with it: of a client what names it by an id or identifier that
the registry has, by --person what names somebody exactly so; that something came, when and from whom stays. Events are kept for six years at least (setting auditKeepYears), and whatever a legal hold covers is left alone.
Backups made before keep what they hold.`,
  async run({ value, required, out, withServices }) {
    const [client, before, person] = [value('client'), value('before'), value('person')];
    if ([client, before, person].filter((one) => one !== undefined).length !== 1) {
      throw new Problem('invalid', 'usage', 'One of --client, --person and --before is needed.');
    }
    const beforeMs = before === undefined ? 0 : dayMs(before);
    const done = await withServices(({ audit, logFollowers, actor, asOwner }) =>
      asOwner(async (owner) => {
        const onProgress = (erased: number): void => out.progress(`${erased} events erased`);
        const run = { actor, owner, reason: required('reason'), onProgress };
        const others = logFollowers.atna.retention;
        if (person !== undefined) return { erased: 0, held: 0, received: await others.erasePerson({ ...run, person }) };
        if (client === undefined) {
          // What came first: our own events about its coming go afterwards.
          const received = await others.eraseBefore({ ...run, beforeMs });
          return { ...(await audit.retention.eraseBefore({ ...run, beforeMs })), received };
        }
        const own = await audit.retention.eraseClient({ ...run, client });
        return { ...own, received: await others.eraseClient({ ...run, client }) };
      }),
    );
    out.json(done);
    const { received } = done;
    out.line(`What ${done.erased} events said is gone.${underHold(done.held)}`);
    out.line(`What ${received.erased} events of other systems said is gone.${underHold(received.held)}`);
    if (received.altered > 0) {
      out.line(
        `${received.altered} were changed in the database by somebody and are left as they are: careseal audit verify.`,
      );
    }
  },
};

const underHold = (held: number): string => (held > 0 ? ` ${held} are under a legal hold.` : '');

export const auditHold: Command = {
  name: 'audit hold',
  summary: 'Place a legal hold: what it covers cannot be erased',
  positional: [],
  options: {
    client: { ...CLIENT, description: 'Only events about this client; without it all events' },
    reason: REASON,
  },
  json: true,
  async run({ value, required, out, withServices }) {
    const client = value('client');
    const id = await withServices(({ audit, actor, asOwner }) =>
      asOwner((owner) =>
        audit.retention.hold({ actor, owner, reason: required('reason'), ...(client === undefined ? {} : { client }) }),
      ),
    );
    out.json({ id });
    out.line(`The hold stands: ${id}`);
  },
};

export const auditRelease: Command = {
  name: 'audit release',
  summary: 'Release a legal hold',
  positional: ['HOLD'],
  options: { reason: REASON },
  json: true,
  async run({ argument, required, out, withServices }) {
    const hold = parseId<HoldId>(argument(0));
    if (hold === undefined) throw new Problem('invalid', 'usage', 'HOLD is the number that `audit hold` printed.');
    await withServices(({ audit, actor, asOwner }) =>
      asOwner((owner) => audit.retention.release({ actor, owner, reason: required('reason'), hold })),
    );
    out.json({ released: hold });
    out.line('The hold is released.');
  },
};

export const auditHolds: Command = {
  name: 'audit holds',
  summary: 'List the legal holds that stand',
  positional: [],
  options: {},
  json: true,
  async run({ out, withServices }) {
    const holds = await withServices(({ audit }) => audit.retention.holds());
    const shown = holds.map(({ id, client, placedMs }) => ({
      id,
      covers: client === undefined ? 'everything' : 'one client',
      placed: instant(placedMs),
    }));
    out.json({ holds: shown });
    for (const { id, covers, placed } of shown) out.line(`${id}  ${covers}, since ${placed}`);
    if (shown.length === 0) out.line('No legal hold stands.');
  },
};

function dayMs(text: string): number {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(ms)) throw new Problem('invalid', 'usage', '--before is a day like 2019-12-31.');
  return ms;
}

export const auditSetAside: Command = {
  name: 'audit set-aside',
  summary: 'Enter into the log that a batch of events is damaged, and number those behind it',
  positional: [],
  options: {
    batch: { kind: 'value', valueName: 'ID', required: true, description: 'The batch, as the server names it' },
    reason: REASON,
  },
  json: true,
  help: `Events are written in batches and numbered within a second. A batch that was damaged in between (a broken disk, somebody at the
database) stops numbering: nothing is lost by waiting, and a backup may still have the batch. Without one, this enters the damage into
the log as an event, with the batch's id, length and hash, and numbering goes on. The batch stays where it is, and verify tells of it for
ever. What can be opened or has its numbers is not set aside.`,
  async run({ required, out, withServices }) {
    const done = await withServices(({ audit, actor, asOwner }) =>
      asOwner((owner) =>
        audit.setAside({ actor, owner, reason: required('reason'), batch: assertBatch(required('batch')) }),
      ),
    );
    out.json(done);
    out.line(`The batch ${done.batch} is set aside. Event ${done.because} says so, and numbering goes on.`);
  },
};

function assertBatch(text: string): string {
  const id = parseId(text);
  if (id !== undefined) return id;
  throw new Problem(
    'invalid',
    'usage',
    'A batch has an id like 0198f3a0-0000-7000-8000-000000000001. Nothing was changed.',
  );
}
