import type { FileReading } from './file-format.ts';
import { findReading, HEAD_BYTES } from './file-format.ts';
import type { LocalFile } from './direct.ts';
import type { MapDocument } from './map-document.ts';
import type { Row } from './model.ts';
import { createRowReader } from './row-reader.ts';
import { firstBytes } from './uploads.ts';

/** Reads a file of records row by row as a load would, and loads nothing. Throws Problem for what is no such file. */
export async function* readLocalFile(input: {
  readonly file: LocalFile;
  readonly map: MapDocument | undefined;
  /** Identifier system of the records' own ids. */
  readonly domain: string;
  /** FHIR date. */
  readonly today: string;
}): AsyncGenerator<Row> {
  const { file, map } = input;
  const bytes = await firstBytes(file.open(), HEAD_BYTES);
  const reading: FileReading = findReading(
    { bytes, isWhole: file.sizeBytes <= bytes.length, fileName: file.fileName },
    map?.csv,
  );
  const reader = createRowReader({ reading, map, domain: input.domain, today: input.today });
  for await (const piece of file.open()) yield* reader.push(piece);
  yield* reader.end();
}
