/**
 * How well two programmes find whom they share by encoded records: `npm run bench -- encodings`. The labelled sets are split so
 * that each side has a person at most once; labels judge, they choose nothing.
 */
import { createEncoder } from '../src/features/encodings/encoder.ts';
import { matchEncoded } from '../src/features/encodings/match-encoded.ts';
import type { EncodedRecord, Hardening } from '../src/features/encodings/model.ts';
import { fake1000, febrl, type LabelledSet, setsArePresent, uganda } from './linkage-sets.ts';

interface Split {
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly shared: number;
}

/** Half of the people with one record to either side; of the others one record to each. */
function split(set: LabelledSet): Split {
  const mates = new Map<number, number[]>();
  for (const [x, y] of set.truePairs) {
    mates.set(x, [...(mates.get(x) ?? []), y]);
    mates.set(y, [...(mates.get(y) ?? []), x]);
  }
  const side = new Map<number, 'a' | 'b'>();
  for (let at = 0; at < set.records.length; at++) {
    const taken = (mates.get(at) ?? []).map((mate) => side.get(mate));
    if (!mates.has(at)) side.set(at, at % 2 === 0 ? 'a' : 'b');
    else if (!taken.includes('a')) side.set(at, 'a');
    else if (!taken.includes('b')) side.set(at, 'b');
  }
  const of = (which: 'a' | 'b') => [...side].filter(([, value]) => value === which).map(([at]) => at);
  const b = new Set(of('b'));
  const shared = of('a').filter((at) => (mates.get(at) ?? []).some((mate) => b.has(mate))).length;
  return { a: of('a'), b: of('b'), shared };
}

function encodeAll(set: LabelledSet, places: readonly number[], hardening: Hardening): EncodedRecord[] {
  const encoder = createEncoder({ name: 'bench', key: new Uint8Array(32).fill(7), hardening });
  return places.flatMap((at) => {
    const record = set.records[at];
    const bits = record === undefined ? undefined : encoder.encode(record);
    return bits === undefined ? [] : [{ id: String(at), bits }];
  });
}

function measure(set: LabelledSet, hardening: Hardening): string {
  const { a, b, shared } = split(set);
  const sides = { a: encodeAll(set, a, hardening), b: encodeAll(set, b, hardening) };
  const bits = (sides.a[0]?.bits.length ?? 0) * 8;
  const startedMs = performance.now();
  const { pairs, compared } = matchEncoded({ hardening, bits, ...sides });
  const seconds = (performance.now() - startedMs) / 1000;
  const shown = (['certain', 'probable'] as const).map((least) => {
    const taken = least === 'certain' ? pairs.filter(({ grade }) => grade === 'certain') : pairs;
    const right = taken.filter((pair) => set.same(Number(pair.a), Number(pair.b))).length;
    return `${(right / Math.max(1, taken.length)).toFixed(3)} / ${(right / shared).toFixed(3)}`;
  });
  return `| ${set.name} | ${hardening} | ${shared} | ${shown.join(' | ')} | ${(compared / seconds / 1e6).toFixed(0)} M |`;
}

if (!setsArePresent()) {
  console.log('../shared/data/linkage is not here: nothing was measured.');
} else {
  console.log(
    '| set | hardening | shared people | certain: precision / recall | certain or probable | comparisons per second |',
  );
  console.log('| --- | --- | --- | --- | --- | --- |');
  for (const set of [uganda(false), febrl(1), febrl(2), febrl(3), fake1000()])
    for (const hardening of ['balanced', 'xor-folded'] as const) console.log(measure(set, hardening));
}
