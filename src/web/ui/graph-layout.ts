/** Places the source records of one person: few in a row or triangle, more on an ellipse. Pure geometry, in drawing units. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

export interface GraphSize {
  readonly width: number;
  readonly height: number;
}

/** More than these do not fit around an ellipse; they stand in two columns, and only the strongest ties are drawn. */
const ROUND_MAX = 6;

export const BOX = { width: 176, height: 52 } as const;

/** A phone gets a tall drawing, a desk a wide one; boxes keep their size, so text stays readable. */
export function graphSize(count: number, tall: boolean): GraphSize {
  if (count <= 1) return { width: tall ? 340 : 640, height: 90 };
  if (tall) return { width: 340, height: count === 2 ? 240 : Math.max(320, 150 + count * 56) };
  if (count > ROUND_MAX) return { width: 640, height: 120 + count * 36 };
  return { width: 640, height: count === 2 ? 130 : Math.max(280, 170 + count * 28) };
}

export function placesOf(count: number, tall: boolean): readonly Place[] {
  const { width, height } = graphSize(count, tall);
  const centre = { x: width / 2, y: height / 2 };
  if (count === 1) return [centre];
  const reachX = width / 2 - BOX.width / 2 - 4;
  const reachY = height / 2 - BOX.height / 2 - 4;
  if (count === 2)
    return tall
      ? [
          { x: centre.x, y: centre.y - reachY },
          { x: centre.x, y: centre.y + reachY },
        ]
      : [
          { x: centre.x - reachX, y: centre.y },
          { x: centre.x + reachX, y: centre.y },
        ];
  if (tall || count > ROUND_MAX) return zigzag(count, centre, reachX, reachY);
  return Array.from({ length: count }, (_, index) => {
    const angle = -Math.PI / 2 + (index * 2 * Math.PI) / count;
    return { x: centre.x + reachX * Math.cos(angle), y: centre.y + reachY * Math.sin(angle) };
  });
}

function zigzag(count: number, centre: Place, reachX: number, reachY: number): readonly Place[] {
  return Array.from({ length: count }, (_, index) => ({
    x: centre.x + (index % 2 === 0 ? -reachX : reachX),
    y: centre.y - reachY + (2 * reachY * index) / (count - 1),
  }));
}

export interface Tie {
  readonly a: string;
  readonly b: string;
  readonly score: number;
}

/** All ties of a few records; of many only those that hold them together (the maximum spanning forest), or nobody could see any. */
export function tiesToDraw<T extends Tie>(ties: readonly T[], count: number): readonly T[] {
  if (count <= ROUND_MAX) return ties;
  const group = new Map<string, string>();
  const rootOf = (id: string): string => {
    let at = id;
    for (let up = group.get(at); up !== undefined; up = group.get(at)) at = up;
    return at;
  };
  return ties
    .toSorted((a, b) => b.score - a.score)
    .filter((tie) => {
      const [a, b] = [rootOf(tie.a), rootOf(tie.b)];
      if (a === b) return false;
      group.set(a, b);
      return true;
    });
}

export function between(a: Place, b: Place, share: number): Place {
  return { x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share };
}
