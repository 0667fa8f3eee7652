import { sealedAtRest } from '../../crypto/index.ts';
import type { Problem } from '../../kernel/problem.ts';
import { type Database, type Sql, statement } from '../../platform/db/index.ts';
import type { KeyRing, SealContext } from '../../store/index.ts';
import { loadProblem } from './errors.ts';

/** Uploaded files in sealed pieces in the database: nothing of a file ever lies in the clear, in a temporary file or elsewhere. */
export interface Spool {
  /**
   * Stores a file as it arrives; answers its size. Throws Problem `file-too-large` or `uploads-full`, and leaves no piece
   * behind when it throws.
   */
  write(
    uploadId: string,
    body: AsyncIterable<Uint8Array>,
    /** What is left of the share of whoever sends it; beyond it `uploads-full`. */
    roomBytes?: number,
  ): Promise<{ readonly sizeBytes: number; readonly head: Uint8Array }>;
  /** The file's bytes in order. */
  read(uploadId: string): AsyncGenerator<Uint8Array>;
  remove(on: Sql, uploadId: string): Promise<void>;
}

export const PIECE_BYTES = 262_144;
export const FILE_BYTES_MAX = 4_294_967_296;
/** What all waiting uploads together may hold of the disk, in bytes: nobody fills the database's disk by uploading. */
export const WAITING_BYTES_MAX = 4 * FILE_BYTES_MAX;
/** The share of one organisation, so that none keeps the others from loading. */
export const WAITING_BYTES_EACH = 2 * FILE_BYTES_MAX;
/** Looked at before the first piece and every so many pieces. */
const LOOK_EVERY_PIECES = 256;

const insertPiece = statement(
  'load.insert-piece',
  'INSERT INTO load.upload_piece (upload_id, seq, content) VALUES ($1, $2, $3)',
);
const readPiece = statement<{ content: Buffer }>(
  'load.read-piece',
  'SELECT content FROM load.upload_piece WHERE upload_id = $1 AND seq = $2',
);
const countPieces = statement<{ n: bigint }>('load.count-pieces', 'SELECT count(*) AS n FROM load.upload_piece');
const deletePieces = statement('load.delete-pieces', 'DELETE FROM load.upload_piece WHERE upload_id = $1');

export function pieceContext(uploadId: string, seq: number): SealContext {
  return { table: 'load.upload_piece', type: 'piece', id: uploadId, version: seq };
}

export function createSpool(
  deps: { readonly database: Database; readonly keyRing: KeyRing },
  headBytes: number,
  waitingBytesMax = WAITING_BYTES_MAX,
): Spool {
  const { database, keyRing } = deps;
  const assertRoom = async (): Promise<void> => {
    const [row] = await database.rows(countPieces, []);
    if (Number(row?.n ?? 0) * PIECE_BYTES >= waitingBytesMax) throw full();
  };
  const store = async (uploadId: string, seq: number, piece: Uint8Array): Promise<void> => {
    await database.run(insertPiece, [uploadId, seq, keyRing.seal(piece, pieceContext(uploadId, seq))]);
  };
  return {
    async write(uploadId, body, roomBytes = Infinity) {
      const head = new Head(headBytes);
      let sizeBytes = 0;
      let seq = 0;
      try {
        for await (const piece of inPieces(body)) {
          sizeBytes += piece.length;
          if (sizeBytes > FILE_BYTES_MAX) throw tooLarge();
          if (sizeBytes > roomBytes) throw full();
          if (seq % LOOK_EVERY_PIECES === 0) await assertRoom();
          head.add(piece);
          await store(uploadId, seq, piece);
          seq++;
        }
      } catch (error) {
        await database.run(deletePieces, [uploadId]);
        throw error;
      }
      return { sizeBytes, head: head.bytes() };
    },
    async *read(uploadId) {
      for (let seq = 0; ; seq++) {
        const [row] = await database.rows(readPiece, [uploadId, seq]);
        if (row === undefined) return;
        yield keyRing.open(sealedAtRest(row.content), pieceContext(uploadId, seq));
      }
    },
    async remove(on, uploadId) {
      await on.run(deletePieces, [uploadId]);
    },
  };
}

class Head {
  readonly #most: number;
  #pieces: Uint8Array[] = [];
  #length = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(piece: Uint8Array): void {
    if (this.#length >= this.#most) return;
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#pieces).subarray(0, this.#most);
  }
}

/** Gathers what arrives into pieces of one size. */
async function* inPieces(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let length = 0;
  for await (const bytes of body) {
    held.push(bytes);
    length += bytes.length;
    if (length < PIECE_BYTES) continue;
    const whole = Buffer.concat(held);
    let from = 0;
    for (; whole.length - from >= PIECE_BYTES; from += PIECE_BYTES) yield whole.subarray(from, from + PIECE_BYTES);
    held = [whole.subarray(from)];
    length = whole.length - from;
  }
  if (length > 0) yield Buffer.concat(held);
}

function tooLarge(): Problem {
  return loadProblem(
    'too-large',
    'file-too-large',
    'The file is larger than 4 GB. Nothing was kept; split it and load the parts.',
  );
}

export function full(): Problem {
  return loadProblem(
    'unavailable',
    'uploads-full',
    'Too many uploaded files are waiting to be loaded. Nothing of this one was kept. Load or cancel the waiting ones, or wait until they are forgotten after a day.',
  );
}
