import { encodingProblem } from './errors.ts';
import { matchEncoded, type MatchEncodedResult } from './match-encoded.ts';
import type { EncodedHeader, EncodedRecord } from './model.ts';

interface EncodedFile {
  readonly header: EncodedHeader;
  readonly records: readonly EncodedRecord[];
}

/** Compares two encoded files of one project. Throws Problem `projects-differ`. */
export function compareEncoded(
  files: { readonly a: EncodedFile; readonly b: EncodedFile },
  options: { readonly onProgress?: (share: number) => void; readonly signal?: AbortSignal } = {},
): MatchEncodedResult {
  const { a, b } = files;
  if (a.header.fingerprint !== b.header.fingerprint || a.header.hardening !== b.header.hardening) {
    throw encodingProblem(
      'projects-differ',
      `The files were encoded under different project keys ("${a.header.project}" and "${b.header.project}"), so that no bit means the same. Nothing was compared. Encode both with one project file.`,
    );
  }
  const { hardening, bits } = a.header;
  return matchEncoded({ hardening, bits, a: a.records, b: b.records, ...options });
}
