import { EXPORT_FORMAT, TILE_WIDTH, tilePath } from '../../verifier/index.ts';
import { noCheckpoint, notProvable } from './errors.ts';
import type { LogReader } from './log-reader.ts';

/** What an outsider gets: an event with its proof, or a copy of the whole tree. Neither needs this server to be checked. */
export interface LogExport {
  /** JSON; formats/audit-tree.md §8. Holds what the event says, so whoever gets it learns it. */
  event(id: string, within?: readonly string[]): Promise<string>;
  /** Every file of the tree by its path. Commitments only: names nobody. Answers how many events. */
  tree(write: (path: string, bytes: Uint8Array) => Promise<void>): Promise<number>;
}

export function createLogExport(reader: LogReader): LogExport {
  const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
  return {
    async event(id, within) {
      const [{ auditEvent, proof }, { verifierKey }] = await Promise.all([reader.one(id, within), reader.status()]);
      if (auditEvent === undefined || proof === undefined) throw notProvable();
      const { index, size, leaf, nonce, path, checkpoint } = proof;
      const document = {
        format: EXPORT_FORMAT,
        verifierKey,
        auditEvent,
        proof: { index, size, leaf, nonce, path, checkpoint },
      };
      return `${JSON.stringify(document, null, 2)}\n`;
    },
    async tree(write) {
      const { size, verifierKey } = await reader.status();
      if (size === 0) throw noCheckpoint();
      // The head moves on meanwhile; tiles of a smaller tree stay parts of it.
      const checkpoint = await reader.checkpoint();
      const headSize = Number(checkpoint.split('\n')[1]);
      for (let number = 0; number * TILE_WIDTH < headSize; number++) {
        const width = Math.min(TILE_WIDTH, headSize - number * TILE_WIDTH);
        for (const level of [0, 'entries'] as const) {
          const path = tilePath({ level, number, width });
          await write(path, await reader.tile(path));
        }
      }
      for (const path of upperTiles(headSize)) await write(path, await reader.tile(path));
      await write('verifier-key', utf8(`${verifierKey}\n`));
      await write('checkpoint', utf8(checkpoint));
      return headSize;
    },
  };
}

/** Paths of the tiles above the leaves. */
function upperTiles(size: number): string[] {
  const paths: string[] = [];
  let hashes = Math.floor(size / TILE_WIDTH);
  for (let level = 1; hashes > 0; level++) {
    for (let number = 0; number * TILE_WIDTH < hashes; number++) {
      paths.push(tilePath({ level, number, width: Math.min(TILE_WIDTH, hashes - number * TILE_WIDTH) }));
    }
    hashes = Math.floor(hashes / TILE_WIDTH);
  }
  return paths;
}
