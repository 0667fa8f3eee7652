import { createReadStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import { Problem } from '../kernel/problem.ts';
import type { Command } from './command.ts';
import { readMapFile } from './map-file.ts';
import { assertFileOrNothing, writePrivate } from './private-file.ts';

export const load: Command = {
  name: 'load',
  summary: 'Load a CSV or NDJSON file of client records',
  positional: ['FILE'],
  options: {
    domain: {
      kind: 'value',
      valueName: 'SYSTEM',
      required: true,
      description: "Identifier system of the records' own ids",
    },
    map: { kind: 'value', valueName: 'MAP', description: 'Mapping document (JSON); needed for CSV' },
    'dry-run': { kind: 'flag', description: 'Parse, check and match every row, write no record' },
    rejected: { kind: 'value', valueName: 'OUT', description: 'Write rejected rows and why to this CSV file' },
  },
  json: true,
  help: `Loading the same file again changes nothing, so after an interruption simply give the same command once more.
A mapping says which column is what:
  { "id": "rec_id", "given": "given_name", "family": "surname", "gender": "sex",
    "birthDate": { "column": "date_of_birth", "format": "YYYYMMDD" }, "phone": "phone_number",
    "identifier": [ { "system": "urn:ug:nin", "column": "uganda_nin" } ],
    "address": { "line": ["street_number", "address_1"], "city": "suburb", "postalCode": "postcode" } }
--json prints {read, created, updated, unchanged, linked, reviews, rejected, warnings, seconds}.`,
  async run({ argument, required, value, flag, out, signal, withServices }) {
    const file = argument(0);
    const sizeBytes = sizeOf(file);
    const mapFile = value('map');
    const map = mapFile === undefined ? undefined : readMapFile(mapFile);
    const rejectedFile = value('rejected');
    if (rejectedFile !== undefined) assertFileOrNothing(rejectedFile);
    const summary = await withServices(async ({ load: service, actor }) => {
      const made = await service.loadFile(actor, {
        file: { fileName: basename(file), sizeBytes, open: () => createReadStream(file, { highWaterMark: 262_144 }) },
        domain: required('domain'),
        map,
        dryRun: flag('dry-run'),
        signal,
        onReading: (done, of) => out.progress(`reading the registry first: ${done} of about ${of} records`),
        onProgress: ({ rows, rejected, bytesDone }) =>
          out.progress(
            `${rows} rows read, ${rejected} rejected, ${Math.floor((100 * bytesDone) / Math.max(1, sizeBytes))} %`,
          ),
      });
      if (rejectedFile !== undefined && made.loadId !== undefined) {
        await writePrivate(rejectedFile, service.rejectedRows(actor, made.loadId));
      }
      return made;
    });
    out.progress('');
    out.json(summary);
    out.line(describe(summary));
    if (summary.rejected > 0 && rejectedFile === undefined)
      out.line('Rejected rows and why: on the Load page, or with --rejected OUT.');
  },
};

function describe(summary: { readonly [count: string]: unknown; readonly dryRun: boolean }): string {
  const { read, created, updated, unchanged, linked, reviews, rejected, warnings, seconds } = summary;
  const done = summary.dryRun ? 'Dry run, no record was written: ' : '';
  return (
    `${done}${String(read)} rows read in ${Number(seconds).toFixed(1)} s: ${String(created)} created, ${String(updated)} updated, ${String(unchanged)} unchanged, ` +
    `${String(rejected)} rejected. ${String(linked)} linked to a client that was there, ${String(reviews)} reviews opened, ${String(warnings)} values kept as text.`
  );
}

function sizeOf(file: string): number {
  try {
    const found = statSync(file);
    if (found.isFile()) return found.size;
  } catch (cause) {
    throw new Problem('invalid', 'file-unreadable', `The file ${file} cannot be read. Nothing was loaded.`, { cause });
  }
  throw new Problem('invalid', 'file-unreadable', `${file} is no file. Nothing was loaded.`);
}
