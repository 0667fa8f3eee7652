/** Paging links: sealed, because they hold the query (names, birth dates) and travel through logs and browser histories. */
import { sealedAtRest } from '../../crypto/index.ts';
import { fromBase64Url, toBase64Url, utf8Decode, utf8Encode } from '../../kernel/bytes.ts';
import { Problem } from '../../kernel/problem.ts';
import type { FhirDeps } from './fhir-exchange.ts';

type Seals = Pick<FhirDeps, 'keyRing'>;

/** `purpose` says what for and for whom: a link handed to somebody else, or used elsewhere, does not open. */
const context = (purpose: string) => ({ table: 'fhir.page', type: purpose, id: '', version: 0 });

export function sealPage({ keyRing }: Seals, purpose: string, position: readonly (string | number)[]): string {
  return toBase64Url(keyRing.seal(utf8Encode(JSON.stringify(position)), context(purpose)));
}

/** Throws Problem `invalid` where the text is no link of this server for this purpose. */
export function openPage({ keyRing }: Seals, purpose: string, text: string): readonly (string | number)[] {
  try {
    const bytes = fromBase64Url(text);
    if (!bytes) throw new TypeError('no base64url');
    // Sealed by sealPage: the seal vouches for the shape.
    return JSON.parse(utf8Decode(keyRing.open(sealedAtRest(bytes), context(purpose)))) as (string | number)[];
  } catch (cause) {
    throw new Problem('invalid', 'bad-cursor', 'This page link is not valid any more. Start the search again.', {
      cause,
      fhirCode: 'value',
    });
  }
}
