import type { Database } from '../../platform/db/index.ts';
import { type Parameter, valuesOf } from './event-parameters.ts';
import type { FhirAuditEvent } from './fhir-audit-event.ts';
import { type ReceivedRow, searchReceived } from './received-store.ts';
import type { ReceivedContent, Repository } from './receiver.ts';

/** One of ITI-81's parameters with the values it may have: any of them fits. */
export interface Condition {
  readonly parameter: Parameter;
  readonly values: readonly string[];
}

/** An event's place among those found, which are newest first. */
export interface Place {
  readonly recordedMs: number;
  readonly id: string;
}

export interface ReceivedQuery {
  readonly fromMs: number;
  readonly beforeMs: number;
  /** All of them must hold. */
  readonly conditions: readonly Condition[];
  /** Whether to find what says nothing as well, not understood or altered; only where there is no condition can it be among the found. */
  readonly garbled: boolean;
  readonly after: Place | undefined;
  readonly count: number;
}

export interface FoundReceived {
  readonly found: readonly { readonly row: ReceivedRow; readonly content: ReceivedContent }[];
  /** The last event that was looked at, fitting or not; undefined when there are no more. */
  readonly lookedTo: Place | undefined;
}

/** Events opened to fill one page; what is left is for the next page. */
export const LOOKED_AT_MAX = 5_000;
export const READ_PAGE = 200;

/** Searches what other systems sent, newest first. */
export async function findReceived(
  { database, repository }: { readonly database: Database; readonly repository: Repository },
  query: ReceivedQuery,
): Promise<FoundReceived> {
  const { conditions, garbled, count } = query;
  const [fromMs, beforeMs] = [storable(query.fromMs), storable(query.beforeMs)];
  const tokens = narrowing(repository, conditions);
  const found: FoundReceived['found'][number][] = [];
  let { after } = query;
  for (let looked = 0; looked < LOOKED_AT_MAX; ) {
    const rows = await searchReceived(database, { fromMs, beforeMs, tokens, garbled, after, limit: READ_PAGE });
    for (const row of rows) {
      looked += 1;
      after = placeOfRow(row);
      const content = repository.read(row);
      const { event } = content;
      if (event === undefined ? garbled && conditions.length === 0 : meets(event, conditions))
        found.push({ row, content });
      if (found.length >= count) return { found, lookedTo: after };
    }
    if (rows.length < READ_PAGE) return { found, lookedTo: undefined };
  }
  return { found, lookedTo: after };
}

/** From 1970 to the end of the year 9999, as far as FHIR writes dates: nothing lies outside, and PostgreSQL reads no year 0. */
export const MS_MAX = 253_402_300_799_999;
const storable = (ms: number): number => Math.min(Math.max(ms, 0), MS_MAX);

const placeOfRow = ({ recorded, id }: ReceivedRow): Place => ({ recordedMs: recorded.getTime(), id });

/** Conditions with one value and one index key narrow the search; the others are tested afterwards. */
function narrowing(repository: Repository, conditions: readonly Condition[]): bigint[] {
  return conditions.flatMap(({ parameter, values }) => {
    const [value] = values;
    if (values.length !== 1 || value === undefined) return [];
    const blind = repository.tokens(parameter, value);
    return blind.length === 1 ? blind : [];
  });
}

/** The exact test: `system|` alone stands for every code of that system. */
export function meets(event: FhirAuditEvent, conditions: readonly Condition[]): boolean {
  return conditions.every(({ parameter, values }) => {
    const has = valuesOf(event, parameter);
    return values.some((value) =>
      value.endsWith('|') ? has.some((one) => one.startsWith(value)) : has.includes(value),
    );
  });
}
