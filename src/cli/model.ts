import { writeFileSync } from 'node:fs';
import { trainModel } from '../features/linkage/index.ts';
import { DEFAULT_MODEL, type MatchingModel } from '../features/matching/index.ts';
import { Problem } from '../kernel/problem.ts';
import type { Command } from './command.ts';
import { readMapFile } from './map-file.ts';
import { readModelFile } from './model-file.ts';

export const modelTrain: Command = {
  name: 'model train',
  summary: 'Train a matching model on a file, without labels',
  positional: ['FILE'],
  options: {
    map: { kind: 'value', valueName: 'MAP', required: true, description: 'Mapping document (JSON), as for load' },
    out: { kind: 'value', valueName: 'MODEL', required: true, description: 'Where the model document goes' },
    version: {
      kind: 'value',
      valueName: 'NAME',
      required: true,
      description: 'What the model is called, for example kampala-2026-1',
    },
    seed: { kind: 'value', valueName: 'NUMBER', description: 'Seed of the training samples (default 1)' },
  },
  json: true,
  help: `Nothing is loaded and nothing is changed. The model document holds chances, thresholds and how common the commonest names are; it
holds no record. Judge it with \`careseal evaluate FILE --map MAP --truth COLUMN --model MODEL\`.`,
  async run({ argument, required, value, out }) {
    const file = required('out');
    const { model, ...told } = await trainModel({
      path: argument(0),
      map: readMapFile(required('map')),
      version: versionOf(required('version')),
      seed: Number(value('seed') ?? 1),
      today: new Date().toISOString().slice(0, 10),
      onProgress: (step) => out.progress(`${step} …`),
    });
    out.progress('');
    try {
      writeFileSync(file, `${JSON.stringify(model, null, 2)}\n`, { flag: 'wx', mode: 0o600 });
    } catch (cause) {
      throw new Problem(
        'conflict',
        'model-not-written',
        `The model could not be written to ${file}; a file that is there is not replaced.`,
        { cause },
      );
    }
    out.json({ version: model.version, file, ...told });
    out.line(
      `Model ${model.version} from ${told.records} records: about ${Math.round(told.matchesExpected)} pairs of one person, ${Math.round(told.householdsExpected)} of one household. Written to ${file}.`,
    );
    if (!told.converged) out.line('Training did not settle; what records of one person look like is as shipped.');
  },
};

function versionOf(text: string): string {
  if (/^[A-Za-z0-9._-]{1,60}$/.test(text)) return text;
  throw new Problem('invalid', 'usage', 'A version has letters, digits, dots, dashes and underscores, at most 60.');
}

export const modelShow: Command = {
  name: 'model show',
  summary: 'Show what a matching model says',
  positional: ['MODEL?'],
  options: {},
  json: true,
  help: 'Without a file: the model Careseal ships. Weights are log2(m/u): +10 is a thousand times likelier among records of one person.',
  run({ optionalArgument, out }) {
    const file = optionalArgument(0);
    const model = file === undefined ? DEFAULT_MODEL : readModelFile(file);
    out.json(model);
    for (const line of describe(model)) out.line(line);
    return Promise.resolve();
  },
};

export const modelCheck: Command = {
  name: 'model check',
  summary: 'Check a matching model document',
  positional: ['MODEL'],
  options: {},
  json: true,
  run({ argument, out }) {
    const { version } = readModelFile(argument(0));
    out.json({ valid: true, version });
    out.line(`The model ${version} is right.`);
    return Promise.resolve();
  },
};

function describe(model: MatchingModel): string[] {
  const { thresholds, prior } = model;
  const lines = [
    `${model.version}: ${model.description ?? ''}`,
    `Linked from ${thresholds.match}, reviewed from ${thresholds.review}; one pair in ${Math.round(prior.population)} is one person.`,
    '',
  ];
  for (const [field, { levels }] of Object.entries(model.fields)) lines.push(`${field.padEnd(20)} ${weights(levels)}`);
  for (const { kind, systems, levels } of model.identifiers) {
    lines.push(
      `${`identifier, ${kind}`.padEnd(20)} ${weights(levels)}  (${systems.slice(0, 3).join(', ')}${systems.length > 3 ? ', …' : ''})`,
    );
  }
  return lines;
}

function weights(levels: Readonly<Record<string, { readonly m: number; readonly u: number }>>): string {
  return Object.entries(levels)
    .map(([level, { m, u }]) => {
      const weight = Math.log2(m / u);
      return `${level} ${weight >= 0 ? '+' : ''}${weight.toFixed(1)}`;
    })
    .join(', ');
}
