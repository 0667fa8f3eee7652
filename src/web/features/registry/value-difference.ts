/** A text cut into parts, those that the other text does not have marked. */
export interface Part {
  readonly text: string;
  readonly differs: boolean;
}

const segments = (text: string): string[] =>
  // Whole letters, so that a combining mark or a surrogate pair is never cut in two.
  [...new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text)].map((one) => one.segment);

const LENGTH_MAX = 200;

/** Longest common subsequence over letters; both texts are short (names, dates, numbers), longer ones are not compared. */
export function differences(mine: string, other: string): readonly Part[] {
  const a = segments(mine);
  const b = segments(other);
  if (a.length > LENGTH_MAX || b.length > LENGTH_MAX) return [{ text: mine, differs: true }];
  const width = b.length + 1;
  const table = new Uint16Array((a.length + 1) * width);
  const at = (i: number, j: number): number => table[i * width + j] ?? 0;
  const same = (i: number, j: number): boolean => a[i]?.toLocaleLowerCase() === b[j]?.toLocaleLowerCase();
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i * width + j] = same(i, j) ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const parts: { text: string; differs: boolean }[] = [];
  const push = (text: string, differs: boolean): void => {
    const last = parts.at(-1);
    if (last?.differs === differs) last.text += text;
    else parts.push({ text, differs });
  };
  let i = 0;
  let j = 0;
  while (i < a.length) {
    if (j < b.length && same(i, j)) {
      push(a[i] ?? '', false);
      i++;
      j++;
    } else if (j < b.length && at(i, j + 1) > at(i + 1, j)) j++;
    else {
      push(a[i] ?? '', true);
      i++;
    }
  }
  return parts;
}
