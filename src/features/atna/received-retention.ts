import { sha256Hex } from '../../crypto/index.ts';
import { utf8Encode } from '../../kernel/bytes.ts';
import { Problem } from '../../kernel/problem.ts';
import { instant } from '../../kernel/time.ts';
import type { Audit, Erased, ErasureRun, HeldClients } from '../audit/index.ts';
import { valuesOf } from './event-parameters.ts';
import { createPersonIndex, exactNames, type Person } from './received-persons.ts';
import { type ErasablePage, erasableBefore, erasableOf, eraseReceived, type ReceivedRow } from './received-store.ts';
import type { ReceivedContent, Repository } from './receiver.ts';

/**
 * How long what other systems sent is kept, and who may end that earlier: as with the log's own events, the owner of the database at
 * the command line, never while a legal hold stands. That something came, when and from whom stays for ever.
 */
export interface ReceivedRetention {
  /** Destroys what received events about this client say: those that name it by an id or identifier that the registry has of it. */
  eraseClient(run: ErasureRun & { readonly client: string }): Promise<ReceivedErased>;
  /** The same about whoever is named so, as the sender writes it: for people whom the registry does not know. */
  erasePerson(run: ErasureRun & { readonly person: string }): Promise<ReceivedErased>;
  /** Destroys what came before this moment; refused when it is less than the years of the law ago. */
  eraseBefore(run: ErasureRun & { readonly beforeMs: number }): Promise<ReceivedErased>;
}

export interface ReceivedErased extends Erased {
  /** Left alone because somebody had changed them in the database: they are evidence. */
  readonly altered: number;
}

export interface ReceivedRetentionDeps {
  readonly repository: Repository;
  readonly audit: { readonly retention: Pick<Audit['retention'], 'because' | 'heldClients'> };
  /** Ids and identifiers of a client, with those of the records it is made of; undefined where the registry does not know it. */
  readonly personOf: (clientId: string) => Promise<Person | undefined>;
}

const PAGE = 100;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

export function createReceivedRetention(deps: ReceivedRetentionDeps): ReceivedRetention {
  const { repository } = deps;
  const tokensOf = (names: readonly string[]): readonly bigint[] =>
    names.flatMap((name) => repository.tokens('patient.identifier', name));
  return {
    async eraseClient(run) {
      const person = (await deps.personOf(run.client)) ?? { ids: [run.client], identifiers: [] };
      const names = exactNames(person);
      return await eraseInPages(deps, run, {
        name: 'client',
        names: new Set(names),
        next: erasableOf(tokensOf(names)),
      });
    },
    async erasePerson(run) {
      const names = [run.person];
      return await eraseInPages(deps, run, {
        name: 'person',
        names: new Set(names),
        next: erasableOf(tokensOf(names)),
      });
    },
    async eraseBefore(run) {
      const { beforeMs } = run;
      const next = erasableBefore(beforeMs);
      return await eraseInPages(deps, run, { name: `before ${instant(beforeMs)}`, beforeMs, next });
    },
  };
}

interface Erasing {
  readonly name: string;
  /** Whom an event has to name to be erased; absent: whomever. */
  readonly names?: ReadonlySet<string>;
  readonly beforeMs?: number;
  readonly next: ErasablePage;
}

async function eraseInPages(deps: ReceivedRetentionDeps, run: ErasureRun, what: Erasing): Promise<ReceivedErased> {
  const { retention } = deps.audit;
  const hold = createHold(deps);
  await run.owner.transaction((tx) => hold.look(tx));
  const because = await retention.because(run, { what: `received: ${what.name}` }, what.beforeMs);
  let [erased, held, altered, after, digest] = [0, 0, 0, FIRST_ID, ''];
  for (;;) {
    const page = await run.owner.transaction(async (tx) => {
      // Asked with every page: a hold that is placed while this runs ends it for what it covers.
      await hold.look(tx);
      const rows = await what.next(tx, after, PAGE);
      const sorted = sortOut(deps.repository, rows, { names: what.names, hold });
      const gone = sorted.going.map((row) => ({ id: row.id, sealed: deps.repository.erase(row, because) }));
      if (gone.length > 0) await eraseReceived(tx, gone, because);
      return { ...sorted, last: rows.at(-1)?.id };
    });
    if (page.last === undefined) break;
    after = page.last;
    for (const { id } of page.going) digest = nextDigest(digest, id);
    erased += page.going.length;
    held += page.held;
    altered += page.altered;
    run.onProgress?.(erased);
  }
  // With it `verify` knows which ones went: none is passed off as erased, and none comes back.
  if (erased > 0) await retention.because(run, { what: 'received', because, events: String(erased), sha256: digest });
  return { erased, held, altered };
}

/** Digest of erased ids, one after the other in their order. */
export const nextDigest = (digest: string, id: string): string => sha256Hex(utf8Encode(`${digest}${id}\n`));

function sortOut(
  repository: Repository,
  rows: readonly ReceivedRow[],
  { names, hold }: { readonly names: ReadonlySet<string> | undefined; readonly hold: HoldLook },
) {
  const going: ReceivedRow[] = [];
  let [held, altered] = [0, 0];
  for (const row of rows) {
    const content = repository.read(row);
    if (content.altered) altered += 1;
    else if (names !== undefined && !patientsOf(content).some((name) => names.has(name))) continue;
    else if (hold.covers(content)) held += 1;
    else going.push(row);
  }
  return { going, held, altered };
}

interface HoldLook {
  /** Reads what holds cover now. Throws Problem `audit-held` where nothing may go. */
  look(tx: Parameters<HeldClients['clients']>[0]): Promise<void>;
  covers(content: ReceivedContent): boolean;
}

function createHold({ audit, personOf }: ReceivedRetentionDeps): HoldLook {
  const holds = audit.retention.heldClients();
  const people = new Map<string, Person>();
  let index = createPersonIndex([]);
  return {
    async look(tx) {
      const clients = await holds.clients(tx);
      if (clients === 'everything') throw underHold();
      for (const id of clients) {
        const person = people.get(id) ?? (await personOf(id));
        if (person === undefined) throw heldUnknown();
        people.set(id, person);
      }
      index = createPersonIndex(clients.flatMap((id) => people.get(id) ?? []));
    },
    // What nobody understood may be about anybody.
    covers: (content) => !index.isEmpty && (content.event === undefined || index.mayName(entitiesOf(content))),
  };
}

const patientsOf = ({ event }: ReceivedContent): readonly string[] =>
  event === undefined ? [] : valuesOf(event, 'patient.identifier');
const entitiesOf = ({ event }: ReceivedContent): readonly string[] =>
  event === undefined ? [] : valuesOf(event, 'entity.identifier');

const underHold = (): Problem =>
  new Problem(
    'conflict',
    'audit-held',
    'A legal hold covers what other systems sent. Nothing more of it was erased. Whoever placed the hold has to release it first: careseal audit holds.',
  );
const heldUnknown = (): Problem =>
  new Problem(
    'conflict',
    'audit-held',
    'A legal hold is on a client that the registry does not know, so nobody can tell which received events are about that client. Nothing more of them was erased.',
  );
