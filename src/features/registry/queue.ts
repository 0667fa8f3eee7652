/** Which of those who wait go together, in the order they came. */
import { BATCH_SUBMISSIONS_MAX, PLANNED_MAX } from './bounds.ts';
import { type Flight, type Group, recordsIn } from './flight.ts';

/**
 * All-or-nothing groups, dry runs and groups with rows of their own to write get a transaction of their own: undoing one must not
 * undo its neighbours.
 */
const isAlone = ({ options }: Group) =>
  options.atomic === true || options.rehearsal !== undefined || options.alongside !== undefined;

/** Whether a batch of such groups may be planned before it has the lock, as far as can be told from what is submitted. */
export const isPlannable = (group: Group) =>
  !isAlone(group) && group.works.every(({ submission: { kind } }) => kind === 'create' || kind === 'upsert');

/**
 * Takes the next batch from the queue. Where all can be planned, those who may depend on a batch under way stay, and with them whoever
 * came later with the same keys: nobody is overtaken by what concerns the same record. So nobody may be left to take.
 */
export function takeBatch(queue: Group[], flights: readonly Flight[]): Group[] {
  const underWay = flights.map(({ footprint }) => footprint?.left);
  if (underWay.length > 0 && queue.every(isPlannable) && !underWay.includes(undefined)) {
    return takeIndependent(queue, new Set(underWay.flatMap((left) => [...(left ?? [])])));
  }
  const [first] = queue;
  return queue.splice(0, first && isAlone(first) ? 1 : fitting(queue, BATCH_SUBMISSIONS_MAX));
}

function takeIndependent(queue: Group[], avoid: Set<bigint>): Group[] {
  const taken: Group[] = [];
  const staying: Group[] = [];
  let size = 0;
  for (const group of queue) {
    const keys = keysOf(group);
    const fits = taken.length === 0 || size + group.works.length <= PLANNED_MAX;
    if (fits && !keys.some((key) => avoid.has(key))) {
      taken.push(group);
      size += group.works.length;
    } else {
      staying.push(group);
      for (const key of keys) avoid.add(key);
    }
  }
  queue.splice(0, queue.length, ...staying);
  return taken;
}

const keysOf = ({ works }: Group): bigint[] =>
  works.flatMap(({ content, keyTokens }) => [...(content?.lookupTokens ?? []), ...keyTokens]);

/** How many of the first fit into one batch: one at least, and none that goes alone. */
function fitting(queue: readonly Group[], recordsMax: number): number {
  let size = 0;
  const beyond = queue.findIndex((group, at) => {
    size += group.works.length;
    return at > 0 && (isAlone(group) || size > recordsMax);
  });
  return beyond < 0 ? queue.length : beyond;
}

export interface Queue {
  readonly queue: Group[];
  add(group: Group): void;
  /** Resolves when so many records wait, or after a moment. One waits at a time: who asks again takes the place of the former. */
  gathered(records: number, longestMs?: number): Promise<void>;
}

export function createQueue(): Queue {
  const queue: Group[] = [];
  let joined = (_group: Group): void => {};
  return {
    queue,
    add(group) {
      queue.push(group);
      joined(group);
    },
    gathered(records, longestMs) {
      let missing = records - recordsIn(queue);
      if (missing <= 0) return Promise.resolve();
      return new Promise((resolve) => {
        const go = () => {
          clearTimeout(timer);
          joined = () => {};
          resolve();
        };
        const timer = longestMs === undefined ? undefined : setTimeout(go, longestMs);
        joined = ({ works }) => {
          missing -= works.length;
          if (missing <= 0) go();
        };
      });
    },
  };
}
