import library from 'bidi-js';

/** Unicode's bidirectional algorithm (UAX 9) for lines on paper, by bidi-js; what is given to the font's shaper runs as it wants it. */

/** A piece of a line that is written at one place. */
export interface Run {
  /** As the shaper is given it: it turns words of right-to-left scripts around by itself, and nothing else. */
  readonly text: string;
  /** A word that the shaper turns; it stays a piece of its own. */
  readonly turned: boolean;
}

export interface Ordered {
  /** From left to right as they stand on paper. */
  line(start: number, end: number): Run[];
  /** Whether the text begins at the right. */
  readonly fromRight: boolean;
}

// Node gives the function itself; the library's types tell of a module around it.
const makeBidi = library as unknown as typeof library.default;
const bidi = makeBidi();
const SCRIPTS = '\\p{Script=Arabic}\\p{Script=Hebrew}\\p{Script=Syriac}\\p{Script=Thaana}\\p{Script=Nko}';
/** Words of right-to-left scripts with their marks and joiners; single characters of anything else. */
const PARTS = new RegExp(`[${SCRIPTS}][${SCRIPTS}\\p{M}\\u200c\\u200d]*|\\P{M}\\p{M}*|\\p{M}+`, 'gu');
const TURNED = new RegExp(`^[${SCRIPTS}]`, 'u');
const RIGHT_TO_LEFT = new RegExp(`[${SCRIPTS}]`, 'u');
/** They say how text is to run and are no letters. */
const CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** `text` is one paragraph: no line feeds. Places are those of its UTF-16 units. */
export function ordered(text: string): Ordered {
  // Nearly all texts: nothing to be done.
  if (!RIGHT_TO_LEFT.test(text)) {
    return {
      fromRight: false,
      line: (start, end) => [{ text: text.slice(start, end).replace(CONTROLS, ''), turned: false }],
    };
  }
  const { levels, paragraphs } = bidi.getEmbeddingLevels(text, 'auto');
  return {
    fromRight: (paragraphs[0]?.level ?? 0) % 2 === 1,
    line: (start, end) => joined(reordered(levelRuns(text, levels, { start, end })).flatMap(piecesOf)),
  };
}

interface LevelRun {
  readonly text: string;
  readonly level: number;
}

function levelRuns(text: string, levels: Uint8Array, { start, end }: { start: number; end: number }): LevelRun[] {
  const runs: LevelRun[] = [];
  for (let from = start; from < end; ) {
    const level = levels[from] ?? 0;
    let to = from + 1;
    while (to < end && levels[to] === level) to++;
    runs.push({ text: text.slice(from, to), level });
    from = to;
  }
  return runs;
}

/** Rule L2, for whole runs: from the highest level down to the lowest odd one, what is at that level or above is reversed. */
function reordered(runs: readonly LevelRun[]): LevelRun[] {
  const order = [...runs];
  const highest = Math.max(0, ...runs.map(({ level }) => level));
  for (let level = highest; level >= 1; level--) {
    for (let from = 0; from < order.length; from++) {
      let to = from;
      while ((order[to]?.level ?? 0) >= level) to++;
      if (to > from + 1) order.splice(from, to - from, ...order.slice(from, to).toReversed());
      from = to;
    }
  }
  return order;
}

/** Within a run from the right: its words and signs in reverse, brackets mirrored (rule L4). */
function piecesOf({ text, level }: LevelRun): Run[] {
  const parts = text.replace(CONTROLS, '').match(PARTS) ?? [];
  return (level % 2 === 1 ? parts.toReversed() : parts).map((part) => {
    if (!TURNED.test(part)) return { text: level % 2 === 1 ? mirrored(part) : part, turned: false };
    // Digits of these scripts run from left to right, and the shaper would turn them.
    return { text: level % 2 === 1 ? part : [...part].toReversed().join(''), turned: true };
  });
}

const mirrored = (part: string): string => bidi.getMirroredCharacter(part) ?? part;

function joined(pieces: readonly Run[]): Run[] {
  const runs: { text: string; turned: boolean }[] = [];
  for (const { text, turned } of pieces) {
    const last = runs.at(-1);
    if (last === undefined || last.turned || turned) runs.push({ text, turned });
    else last.text += text;
  }
  return runs;
}
