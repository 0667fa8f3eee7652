import { sha256Hex } from '../../crypto/index.ts';
import { utf8Encode } from '../../kernel/bytes.ts';
import type { WholeEvent } from '../audit/index.ts';
import { PARAMETERS, valuesOf } from './event-parameters.ts';
import type { FhirAuditEvent } from './fhir-audit-event.ts';
import type { ReceivedContent, Repository } from './receiver.ts';
import { checkErased } from './verify-erased.ts';
import { eventsOf, type ReceivedProblem, type VerifyReceivedDeps } from './verify-log.ts';
import { countReceived, lastReceived, type ReceivedRow, receivedBetween } from './received-store.ts';

/** What `verify` found among the events of other systems. */
export interface ReceivedVerification {
  readonly checked: number;
  /** Those whose own event in the log was erased, and those that an earlier version kept several at a time: nobody can tell. */
  readonly unknowable: number;
  /** Those that say nothing any more, by an erasure that the log tells of. */
  readonly erased: number;
  readonly ok: boolean;
  readonly problems: readonly ReceivedProblem[];
}

const PROBLEMS_MAX = 100;
/** How far apart in time ids may be that were made together. */
const MIXED_MS = 100;

/**
 * Compares the events of other systems with what the log says of their coming: each keeping has one event with the SHA-256 over what
 * came, and the log itself is verified elsewhere. What the database alone was told to add, change, exchange or leave out is found.
 */
export async function verifyReceived(deps: VerifyReceivedDeps): Promise<ReceivedVerification> {
  const problems: ReceivedProblem[] = [];
  // What comes meanwhile has its event as well, and is looked at where that is met.
  const upTo = await lastReceived(deps.database);
  const kept = upTo === undefined ? 0 : await countReceived(deps.database, upTo);
  const [checked, uncompared] = [new Set<string>(), new Set<string>()];
  let [erased, met] = [0, 0];
  for await (const event of keepings(deps)) {
    const said = event.json === undefined ? undefined : detailsOf(event);
    if (said === undefined) {
      erased += 1;
      continue;
    }
    const { ids, compared, gone } = await checkKeeping(deps, problems, said);
    if (compared) met += gone;
    for (const id of ids) (compared ? checked : uncompared).add(id);
  }
  const saysNothing = await checkErased(deps, problems);
  const accounted = checked.union(uncompared);
  const left = kept - [...accounted].filter((id) => upTo !== undefined && id <= upTo).length;
  if (left > 0 && erased === 0) {
    const detail = `${left} received events are in the database that the log says nothing of.`;
    problems.push({ code: 'received-unknown', detail, id: upTo ?? '' });
  }
  const unknowable = accounted.size - checked.size + (left > 0 && erased > 0 ? left : 0);
  const found = { checked: checked.size - met, unknowable, erased: saysNothing };
  return { ...found, ok: problems.length === 0, problems: problems.slice(0, PROBLEMS_MAX) };
}

const keepings = (deps: VerifyReceivedDeps): AsyncGenerator<WholeEvent> => eventsOf(deps, 'audit.receive');

interface Said {
  readonly id: string;
  readonly first: string;
  readonly last: string;
  readonly events: number;
  readonly sha256: string;
  /** Ids of what was kept together rise; not so in earlier versions. */
  readonly ordered: boolean;
  /** Undefined where the sender proved nothing. */
  readonly node: string | undefined;
}

function detailsOf({ summary: { id, detail = {}, actor } }: WholeEvent): Said {
  const { first = '', last = '', events = '0', sha256 = '', order } = detail;
  const node = actor.kind === 'node' ? actor.id : undefined;
  return { id, first, last, events: Number(events), sha256, ordered: order === 'id', node };
}

interface Read {
  readonly row: ReceivedRow;
  readonly content: ReceivedContent;
}

/** Rows that were kept by one keeping, by their ids. */
async function rowsOf({ database, repository }: VerifyReceivedDeps, said: Said): Promise<Read[]> {
  const { first, last } = said.ordered || said.events === 1 ? said : around(said);
  const read = (await receivedBetween(database, first, last)).map((row) => ({ row, content: repository.read(row) }));
  // Ids of several processes mix.
  return read.filter(({ row, content: { altered, keep } }) =>
    said.ordered ? altered || keep === said.first : keep === undefined && (row.nodeId ?? undefined) === said.node,
  );
}

/** Ids of earlier versions that were kept together are of the same moment, in no order. */
function around({ first, last }: Said): Pick<Said, 'first' | 'last'> {
  const moment = (id: string, ms: number): string =>
    (Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16) + ms).toString(16).padStart(12, '0');
  const uuid = (hex: string): string => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  const [low = first, high = last] = [first, last].toSorted();
  return { first: uuid(moment(low, -MIXED_MS).padEnd(32, '0')), last: uuid(moment(high, MIXED_MS).padEnd(32, 'f')) };
}

async function checkKeeping(deps: VerifyReceivedDeps, problems: ReceivedProblem[], said: Said): Promise<Checked> {
  const { repository } = deps;
  const own = await rowsOf(deps, said);
  for (const { row, content } of own) {
    const wrong = wrongOf(repository, row, content, said);
    if (wrong !== undefined) problems.push({ code: 'received-changed', detail: wrong, id: row.id });
  }
  if (own.length < said.events) {
    const detail = `Of ${said.events} received events that the log tells of, ${said.events - own.length} are gone.`;
    problems.push({ code: 'received-missing', detail, id: said.id });
  }
  const ids = own.map(({ row }) => row.id);
  const gone = own.filter(({ content }) => content.erased !== undefined).length;
  // The others of a keeping of which something was erased are held by their own seals, and by how many they are.
  const comparable =
    own.length === said.events && own.every(({ content }) => !content.altered && content.erased === undefined);
  // In which order earlier versions kept several, nobody knows any more.
  if (!said.ordered && said.events !== 1) return { ids, gone, compared: false };
  if (comparable && digestOf(own) !== said.sha256) {
    const detail = 'Received events are not what the log says came.';
    problems.push({ code: 'received-changed', detail, id: said.id });
  }
  return { ids, gone, compared: true };
}

const digestOf = (own: readonly Read[]): string =>
  sha256Hex(utf8Encode(own.map(({ content }) => content.raw ?? '').join('\n')));

function wrongOf(repository: Repository, row: ReceivedRow, content: ReceivedContent, said: Said): string | undefined {
  if (content.altered) return 'A received event was changed in the database.';
  if ((row.nodeId ?? undefined) !== said.node) return 'A received event names another sender than the log.';
  const { event } = content;
  if (event === undefined || isFoundBy(repository, row, event)) return undefined;
  return 'What a received event is found by was changed in the database.';
}

interface Checked {
  /** Of the rows that this keeping accounts for. */
  readonly ids: readonly string[];
  /** How many of them say nothing any more. */
  readonly gone: number;
  /** Whether they could be compared with what came. */
  readonly compared: boolean;
}

/** Whether a row has the tokens of what it says, and no others, by any key that there was. */
function isFoundBy(repository: Repository, { tokens }: ReceivedRow, event: FhirAuditEvent): boolean {
  const wanted = PARAMETERS.flatMap((parameter) =>
    valuesOf(event, parameter).map((value) => repository.tokens(parameter, value)),
  );
  const known = new Set(wanted.flat());
  return tokens.every((one) => known.has(one)) && wanted.every((any) => any.some((one) => tokens.includes(one)));
}
