/** Makes and seals rounds of a large load, with the keys it is handed. No database, no files. */
import { makePacked } from '../features/registry/index.ts';
import { searchTerms } from '../fhir/index.ts';
import { serveThread } from '../platform/threads/index.ts';
import { createKeyRing, type KeySet } from '../store/index.ts';
import type { LoadMakerTask } from './load-maker.ts';

let current: KeySet | undefined;
const keyRing = createKeyRing(() => {
  if (current === undefined) throw new Error('the thread was given no keys');
  return current;
});

serveThread((message) => {
  // Sent by load-maker.ts.
  const { round, keys } = message as LoadMakerTask;
  current = keys ?? current;
  return makePacked({ keyRing, termsOf: searchTerms }, round);
});
