import { randomBytes } from '../../crypto/index.ts';
import { toBase64Url } from '../../kernel/bytes.ts';
import type { MatchRecord } from '../matching/index.ts';
import { createEncoder, HARDENED_BITS } from './encoder.ts';
import { encodingProblem } from './errors.ts';
import type { EncodedHeader, EncodedRecord, EncodingProject } from './model.ts';

export interface EncodedExport {
  readonly header: EncodedHeader;
  /** In the order of their random names, so that the order gives nothing away. */
  readonly records: readonly EncodedRecord[];
  /** Which record each random name stands for. */
  readonly ids: readonly (readonly [encoded: string, record: string])[];
  /** Records that say too little to be compared: fewer than three of the fields that take part. */
  readonly leftOut: number;
}

const ID_BYTES = 15;

/** Encodes records under a project. `records` come in pages; `name` is the record's own id, which stays here. */
export async function exportEncoded(
  project: EncodingProject,
  pages: AsyncIterable<readonly { readonly name: string; readonly record: MatchRecord }[]>,
): Promise<EncodedExport> {
  const encoder = createEncoder(project);
  const records: EncodedRecord[] = [];
  const ids: [string, string][] = [];
  let leftOut = 0;
  for await (const page of pages) {
    for (const { name, record } of page) {
      const bits = encoder.encode(record);
      if (bits === undefined) {
        leftOut++;
        continue;
      }
      const id = toBase64Url(randomBytes(ID_BYTES));
      records.push({ id, bits });
      ids.push([id, name]);
    }
  }
  if (records.length === 0) {
    throw encodingProblem(
      'nothing-encoded',
      'No record says enough to be compared: at least three of given name, family name, birth date, sex, telephone, city and postal code are needed. Nothing was written.',
    );
  }
  records.sort((x, y) => (x.id < y.id ? -1 : 1));
  ids.sort((x, y) => (x[0] < y[0] ? -1 : 1));
  const header: EncodedHeader = {
    format: 'careseal-encoded/1',
    project: project.name,
    fingerprint: encoder.fingerprint,
    hardening: project.hardening,
    bits: HARDENED_BITS[project.hardening],
    records: records.length,
  };
  return { header, records, ids, leftOut };
}
