import { readFileSync } from 'node:fs';

/**
 * What the pages weigh, gzipped: `node scripts/web-sizes.ts` after `npm run build`. The first screen is the entry with all it
 * needs to draw (frame and home); a further page counts what it brings on top of that.
 */
interface Chunk {
  readonly file: string;
  readonly entry: boolean;
  readonly page?: string;
  readonly imports: readonly string[];
  readonly gzipBytes: number;
}

export interface WebSizes {
  readonly firstScreenBytes: number;
  readonly pages: readonly { readonly page: string; readonly bytes: number }[];
}

export const FIRST_SCREEN_BYTES_MAX = 250_000;
export const PAGE_BYTES_MAX = 60_000;
const FIRST_PAGE = 'features/home/home-page.tsx';

export function readWebSizes(path: string): WebSizes {
  // Written by our own build step in vite.config.ts.
  const chunks = JSON.parse(readFileSync(path, 'utf8')) as readonly Chunk[];
  const byFile = new Map(chunks.map((chunk) => [chunk.file, chunk]));
  const closure = (roots: readonly (Chunk | undefined)[]): Set<Chunk> => {
    const found = new Set<Chunk>();
    const visit = (chunk: Chunk | undefined): void => {
      if (!chunk || found.has(chunk)) return;
      found.add(chunk);
      for (const file of chunk.imports) visit(byFile.get(file));
    };
    for (const root of roots) visit(root);
    return found;
  };
  const sum = (set: Iterable<Chunk>): number => [...set].reduce((total, chunk) => total + chunk.gzipBytes, 0);
  const first = closure([chunks.find((chunk) => chunk.entry), chunks.find((chunk) => chunk.page === FIRST_PAGE)]);
  const pages = chunks
    .filter((chunk) => chunk.page !== undefined && chunk.page !== FIRST_PAGE)
    .map((chunk) => ({ page: chunk.page ?? '', bytes: sum(closure([chunk]).difference(first)) }))
    .toSorted((a, b) => b.bytes - a.bytes);
  return { firstScreenBytes: sum(first), pages };
}

if (import.meta.main) {
  const sizes = readWebSizes('dist/web-chunks.json');
  const line = (name: string, bytes: number, max: number): void =>
    console.log(
      `${(bytes / 1000).toFixed(1).padStart(8)} kB of ${max / 1000} kB  ${bytes > max ? 'OVER  ' : ''}${name}`,
    );
  line('first screen', sizes.firstScreenBytes, FIRST_SCREEN_BYTES_MAX);
  for (const { page, bytes } of sizes.pages) line(page, bytes, PAGE_BYTES_MAX);
  const over =
    sizes.firstScreenBytes > FIRST_SCREEN_BYTES_MAX || sizes.pages.some((page) => page.bytes > PAGE_BYTES_MAX);
  process.exitCode = over ? 1 : 0;
}
