/** Paging positions, sealed before they leave the server: they hold a time and an id that nobody needs to see or to forge. */
import { fromBase64Url, toBase64Url, utf8Decode, utf8Encode } from '../../kernel/bytes.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import { Problem } from '../../kernel/problem.ts';
import type { KeyRing } from '../../store/index.ts';
import { sealedAtRest } from '../../crypto/index.ts';
import type { Cursor } from './model.ts';

export interface Position {
  readonly lastUpdatedMs: number;
  readonly id: ResourceId;
  /** Carried along, so that every page of one search says the same total. */
  readonly total?: number;
}

const context = (purpose: string) => ({ table: 'registry.cursor', type: purpose, id: '', version: 0 });

export function sealCursor(keyRing: KeyRing, purpose: string, position: Position): Cursor {
  const plain = utf8Encode(JSON.stringify([position.lastUpdatedMs, position.id, position.total ?? null]));
  // The only place that makes a Cursor.
  return toBase64Url(keyRing.seal(plain, context(purpose))) as Cursor;
}

/** Throws Problem `invalid` when the text is no cursor of this server for this purpose. */
export function openCursor(keyRing: KeyRing, purpose: string, cursor: string): Position {
  const bytes = fromBase64Url(cursor);
  if (!bytes) throw badCursor(undefined);
  try {
    // Sealed by sealCursor: the seal vouches for the shape.
    const plain = utf8Decode(keyRing.open(sealedAtRest(bytes), context(purpose)));
    const [lastUpdatedMs, id, total] = JSON.parse(plain) as [number, ResourceId, number | null];
    return { lastUpdatedMs, id, ...(total === null ? {} : { total }) };
  } catch (error) {
    throw badCursor(error);
  }
}

function badCursor(cause: unknown): Problem {
  return new Problem('invalid', 'bad-cursor', 'This page link is not valid any more. Start the search again.', {
    cause,
  });
}
