/**
 * C2SP tlog-tiles: the tree cut into tiles of 256 hashes. Tile (L, N) holds the hashes of the perfect subtrees of 256^L leaves
 * number 256·N … 256·N+255. A partial tile (width < 256) exists only at the right edge.
 */
export const TILE_WIDTH = 256;
/** Six levels hold 2^48 leaves. */
const LEVEL_MAX = 5;

export type TileKind = number | 'entries';

export interface TileAddress {
  readonly level: TileKind;
  readonly number: number;
  /** 1 … 256; 256 is a complete tile. */
  readonly width: number;
}

/** `tile/0/x001/x234/067`, `tile/1/000.p/13`, `tile/entries/005`. */
export function tilePath(tile: TileAddress): string {
  let rest = tile.number;
  let number = String(rest % 1000).padStart(3, '0');
  rest = Math.floor(rest / 1000);
  while (rest > 0) {
    number = `x${String(rest % 1000).padStart(3, '0')}/${number}`;
    rest = Math.floor(rest / 1000);
  }
  return `tile/${tile.level}/${number}${tile.width === TILE_WIDTH ? '' : `.p/${tile.width}`}`;
}

const PATH = /^tile\/(?<level>entries|\d)\/(?<number>(?:x\d{3}\/)*\d{3})(?:\.p\/(?<width>[1-9]\d{0,2}))?$/;

/** Undefined when the path is not exactly what `tilePath` prints for some tile. */
export function parseTilePath(path: string): TileAddress | undefined {
  const groups = PATH.exec(path)?.groups;
  if (groups === undefined) return undefined;
  const level = groups['level'] === 'entries' ? 'entries' : Number(groups['level']);
  const number = Number((groups['number'] ?? '').replaceAll(/[x/]/g, ''));
  const width = groups['width'] === undefined ? TILE_WIDTH : Number(groups['width']);
  const tile: TileAddress = { level, number, width };
  const sound = Number.isSafeInteger(number) && width <= TILE_WIDTH && (level === 'entries' || level <= LEVEL_MAX);
  return sound && tilePath(tile) === path ? tile : undefined;
}

/** Hashes at `level` in a tree of `size` leaves: how many subtrees of 256^level leaves are complete. */
export function hashesAtLevel(size: number, level: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** An entry bundle: each entry after its length as u16, big-endian. */
export function encodeEntries(entries: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(entries.reduce((sum, entry) => sum + 2 + entry.length, 0));
  let offset = 0;
  for (const entry of entries) {
    if (entry.length > 0xffff) throw new RangeError('A leaf has at most 65,535 bytes');
    bytes[offset] = entry.length >> 8;
    bytes[offset + 1] = entry.length & 0xff;
    bytes.set(entry, offset + 2);
    offset += 2 + entry.length;
  }
  return bytes;
}

/** Undefined when the bundle is cut short. */
export function parseEntries(bytes: Uint8Array): Uint8Array[] | undefined {
  const entries: Uint8Array[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const end = offset + 2 + (bytes[offset] ?? 0) * 256 + (bytes[offset + 1] ?? 0);
    if (offset + 2 > bytes.length || end > bytes.length) return undefined;
    entries.push(bytes.slice(offset + 2, end));
    offset = end;
  }
  return entries;
}
