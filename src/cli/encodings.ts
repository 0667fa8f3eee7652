import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import {
  compareEncoded,
  type EncodedExport,
  exportEncoded,
  newProject,
  parseProject,
  printEncoded,
  printIds,
  printPairs,
  printProject,
  readEncoded,
  resolvePairs,
} from '../features/encodings/index.ts';
import { readLocalFile } from '../features/load/index.ts';
import { MapDocument } from '../features/load/wire.ts';
import { matchRecordOf } from '../features/registry/index.ts';
import { Problem } from '../kernel/problem.ts';
import type { Command, Invocation } from './command.ts';
import { writePrivate } from './private-file.ts';

export const encodingsKey: Command = {
  name: 'encodings key',
  summary: 'Make the secret of a private linkage between two programmes',
  positional: ['NAME'],
  options: {
    out: { kind: 'value', valueName: 'FILE', required: true, description: 'Where to write the project file' },
    hardening: {
      kind: 'value',
      valueName: 'balanced|xor-folded',
      description: 'balanced (the default) finds more; xor-folded gives away less',
    },
  },
  json: false,
  help: `The two programmes, and nobody else, hold this file: with it anybody can test whether a person is in an encoded file.
Bring it to the other programme by hand. Whoever compares the files must not have it.`,
  async run({ argument, required, value, out }) {
    const hardening = value('hardening') ?? 'balanced';
    if (hardening !== 'balanced' && hardening !== 'xor-folded') {
      throw new Problem('invalid', 'usage', '--hardening is balanced or xor-folded. Nothing was written.');
    }
    const file = fresh(required('out'));
    await writePrivate(file, [printProject(newProject(argument(0), hardening))]);
    out.line(`Written to ${file}. Give it to the other programme by a safe way, and to nobody who compares.`);
  },
};

export const encodingsExport: Command = {
  name: 'encodings export',
  summary: 'Encode clients for a private linkage',
  positional: [],
  options: {
    project: { kind: 'value', valueName: 'FILE', required: true, description: 'The project file both programmes hold' },
    out: { kind: 'value', valueName: 'FILE', required: true, description: 'The encoded file, for whoever compares' },
    ids: {
      kind: 'value',
      valueName: 'FILE',
      required: true,
      description: 'Which record each random name is; stays here',
    },
    from: { kind: 'value', valueName: 'CSV', description: 'Encode this file instead of the registry' },
    map: { kind: 'value', valueName: 'MAP', description: 'Mapping document for --from' },
  },
  json: true,
  help: `Without --from every client of the registry is encoded; each is an event in the audit log and in the accounting of disclosures.
--json prints {records, leftOut, seconds}.`,
  async run(invocation) {
    const { required, out } = invocation;
    const startedMs = performance.now();
    const project = parseProject(readText(required('project')));
    const encodedFile = fresh(required('out'));
    const idsFile = fresh(required('ids'));
    const made = await encode(invocation, project);
    await writePrivate(idsFile, printIds(made.ids));
    await writePrivate(encodedFile, printEncoded(made.header, made.records));
    const seconds = (performance.now() - startedMs) / 1000;
    out.progress('');
    out.json({ records: made.records.length, leftOut: made.leftOut, seconds });
    out.line(
      `${made.records.length} records encoded in ${seconds.toFixed(1)} s, ${made.leftOut} left out because they say too little. ` +
        `${encodedFile} is for whoever compares; keep ${idsFile} here.`,
    );
  },
};

async function encode(invocation: Invocation, project: ReturnType<typeof parseProject>): Promise<EncodedExport> {
  const { value, out, signal, withServices } = invocation;
  const from = value('from');
  if (from !== undefined) return await exportEncoded(project, recordsOf(from, value('map')));
  return await withServices(({ encodings, actor }) =>
    encodings.exportRegistry(actor, project, {
      signal,
      onProgress: (clients) => out.progress(`${clients} clients encoded`),
    }),
  );
}

async function* recordsOf(path: string, mapPath: string | undefined) {
  const file = { fileName: basename(path), sizeBytes: sizeOf(path), open: () => createReadStream(path) };
  const map = mapPath === undefined ? undefined : readMap(mapPath);
  const today = new Date().toISOString().slice(0, 10);
  for await (const row of readLocalFile({ file, map, domain: 'urn:careseal:encoding', today })) {
    if (row.kind === 'good') yield [{ name: row.key, record: matchRecordOf(row.patient) }];
  }
}

export const encodingsMatch: Command = {
  name: 'encodings match',
  summary: 'Compare two encoded files',
  positional: ['A', 'B'],
  options: {
    out: { kind: 'value', valueName: 'CSV', required: true, description: 'Where to write the pairs' },
  },
  json: true,
  help: `Needs neither the project file nor a server. Each record is in one pair at most. The pairs hold random names only: each programme
puts its own records beside them with \`careseal encodings resolve\`.
--json prints {a, b, pairs, certain, compared, recallAtLimit, seconds}.`,
  async run({ argument, required, out, signal }) {
    const startedMs = performance.now();
    const file = fresh(required('out'));
    const [a, b] = [await encodedAt(argument(0)), await encodedAt(argument(1))];
    const result = compareEncoded(
      { a, b },
      { signal, onProgress: (share) => out.progress(`${Math.floor(100 * share)} % compared`) },
    );
    await writePrivate(file, printPairs(result.pairs));
    const seconds = (performance.now() - startedMs) / 1000;
    const certain = result.pairs.filter(({ grade }) => grade === 'certain').length;
    const { compared, recallAtLimit, pairs } = result;
    out.progress('');
    out.json({
      a: a.records.length,
      b: b.records.length,
      pairs: pairs.length,
      certain,
      compared,
      recallAtLimit,
      seconds,
    });
    out.line(
      `${pairs.length} pairs, ${certain} of them certain, in ${seconds.toFixed(1)} s. ` +
        (recallAtLimit === 1
          ? 'Every pair was compared.'
          : `A pair just at the limit was looked at with a chance of ${Math.floor(100 * recallAtLimit)} %; closer ones nearly always.`),
    );
  },
};

export const encodingsResolve: Command = {
  name: 'encodings resolve',
  summary: 'Put one’s own records beside the pairs found',
  positional: ['PAIRS'],
  options: {
    ids: {
      kind: 'value',
      valueName: 'FILE',
      required: true,
      description: 'The list written with one’s own encoded file',
    },
    side: { kind: 'value', valueName: 'a|b', required: true, description: 'Which of the two files was one’s own' },
    out: { kind: 'value', valueName: 'CSV', required: true, description: 'Where to write the result' },
  },
  json: false,
  async run({ argument, required, out }) {
    const side = required('side');
    if (side !== 'a' && side !== 'b') throw new Problem('invalid', 'usage', '--side is a or b. Nothing was written.');
    const file = fresh(required('out'));
    await writePrivate(file, resolvePairs(textOf(argument(0)), textOf(required('ids')), side));
    out.line(`Written to ${file}.`);
  },
};

async function encodedAt(path: string) {
  return await readEncoded(basename(path), createInterface({ input: textOf(path), crlfDelay: Infinity }));
}

function textOf(path: string) {
  sizeOf(path);
  return createReadStream(path, { encoding: 'utf8' });
}

/** A path where nothing is yet. */
function fresh(path: string): string {
  if (!existsSync(path)) return path;
  throw new Problem('conflict', 'file-exists', `${path} is there already and was left as it is. Give another name.`);
}

function sizeOf(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() === true) return found.size;
  throw new Problem('invalid', 'file-unreadable', `${path} is no file that can be read. Nothing was written.`);
}

function readText(path: string): string {
  sizeOf(path);
  return readFileSync(path, 'utf8');
}

function readMap(path: string): MapDocument {
  const parsed = MapDocument.safeParse(jsonOf(readText(path)));
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => ({
    detail: `${issue.path.join('.') || 'mapping'}: ${issue.message}`,
  }));
  throw new Problem('invalid', 'map-invalid', `The mapping ${path} is not right. Nothing was written.`, { issues });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
