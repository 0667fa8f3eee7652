import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { Problem } from '../../kernel/problem.ts';

/** A file that lies in memory only, shared between threads; its name says how it is written. */
export interface HeldFile {
  readonly fileName: string;
  readonly bytes: SharedArrayBuffer;
}
/** A path of this computer, or a file held in memory. */
export type FileSource = string | HeldFile;

export function fileNameOf(source: FileSource): string {
  return typeof source === 'string' ? basename(source) : source.fileName;
}

/** Bytes. Throws Problem `file-unreadable`. */
export function sizeOf(source: FileSource): number {
  if (typeof source !== 'string') return source.bytes.byteLength;
  try {
    const found = statSync(source);
    if (found.isFile()) return found.size;
  } catch (cause) {
    throw new Problem('invalid', 'file-unreadable', `The file ${source} cannot be read. Nothing was changed.`, {
      cause,
    });
  }
  throw new Problem('invalid', 'file-unreadable', `${source} is no file. Nothing was changed.`);
}

/** The file piece by piece, each in bytes of its own; stops when `onPiece` answers false. */
export function forEachPart(source: FileSource, most: number, onPart: (part: Uint8Array) => boolean): void {
  if (typeof source !== 'string') {
    const whole = new Uint8Array(source.bytes);
    // A copy: decoders do not take shared bytes.
    for (let at = 0; at < whole.length; at += most) if (!onPart(whole.slice(at, at + most))) return;
    return;
  }
  const file = openSync(source, 'r');
  try {
    for (;;) {
      const bytes = new Uint8Array(most);
      const length = readSync(file, bytes, 0, most, null);
      if (length === 0 || !onPart(bytes.subarray(0, length))) return;
    }
  } finally {
    closeSync(file);
  }
}
