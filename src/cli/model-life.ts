import { setTimeout as pause } from 'node:timers/promises';
import type { ModelsReply, StudyReportReply, StudyView } from '../features/models/wire.ts';
import type { CommandServices } from '../main/index.ts';
import { Problem } from '../kernel/problem.ts';
import type { Command, Invocation } from './command.ts';
import { readModelFile } from './model-file.ts';

/** The models of the registry, as the pages have them: by the same services, with the same checks. */
const LOOK_EVERY_MS = 500;

export const modelList: Command = {
  name: 'model list',
  summary: 'List the registry’s matching models',
  positional: [],
  options: {},
  json: true,
  async run({ out, withServices }) {
    await withServices(async ({ models, actor }) => {
      const seen = await models.overview(actor);
      out.json(seen);
      for (const one of seen.models) {
        const mark = one.state === 'active' ? '*' : one.state === 'shadow' ? '+' : ' ';
        out.line(
          `${mark} ${one.version.padEnd(30)} ${one.origin.padEnd(12)} ${one.createdAt.slice(0, 10)}  ${one.notes}`,
        );
      }
      out.line('');
      out.line('* decides; + is tried beside it.');
      if (seen.oldKeys) out.line(oldKeysLine(seen.oldKeys));
    });
  },
};

function oldKeysLine({ visited, total, going }: NonNullable<ModelsReply['oldKeys']>): string {
  const how = going ? `${visited} of ${total} records are done` : 'begins with the next start of the server';
  return `An earlier version of Careseal made the search keys. Until every record has new ones, links may be missed: ${how}.`;
}

export const modelAdd: Command = {
  name: 'model add',
  summary: 'Keep a model document in the registry',
  positional: ['MODEL'],
  options: {
    notes: { kind: 'value', valueName: 'TEXT', description: 'Where it comes from' },
    opencr: {
      kind: 'flag',
      description: 'It was made of OpenCR’s rules (careseal import opencr --rules … --model MODEL)',
    },
  },
  json: true,
  help: 'It decides nothing until it is activated. A model that would link made-up strangers is refused.',
  async run({ argument, value, flag, out, withServices }) {
    const document = readModelFile(argument(0));
    await withServices(async ({ models, actor }) => {
      const origin = flag('opencr') ? 'opencr-rules' : 'uploaded';
      const { model } = await models.add(actor, { document, notes: value('notes') ?? '', origin });
      out.json(model);
      out.line(`${model.version} is kept. Try it: careseal model simulate ${model.version}`);
    });
  },
};

export const modelLearn: Command = {
  name: 'model learn',
  summary: 'Train a model on the registry’s own records',
  positional: ['VERSION'],
  options: {
    records: { kind: 'value', valueName: 'NUMBER', description: 'Records at most (default 200000)' },
    seed: { kind: 'value', valueName: 'NUMBER', description: 'Seed of the samples (default 1)' },
    labels: { kind: 'flag', description: 'Use what stewards decided besides' },
  },
  json: true,
  help: 'Nobody has to label anything. The model is kept and decides nothing until it is activated.',
  async run(invocation) {
    const { argument, value, flag, out } = invocation;
    const request = {
      version: argument(0),
      notes: '',
      labels: flag('labels'),
      seed: numberOf(value('seed'), 1),
      recordsMax: numberOf(value('records'), 200_000),
    };
    const report = await study(invocation, async ({ models, actor }) => {
      const begun = await models.studies.begin(actor, { kind: 'training', request, model: request.version });
      return begun.study;
    });
    out.json(report);
    if (report.kind !== 'training') return;
    out.line(
      `${report.version} from ${report.drawn} records: about ${Math.round(report.matchesExpected)} pairs of one person among them.`,
    );
    if (!report.converged) out.line('Training did not settle; what records of one person look like is as shipped.');
  },
};

export const modelSimulate: Command = {
  name: 'model simulate',
  summary: 'Say what a model would change, and change nothing',
  positional: ['VERSION'],
  options: { records: { kind: 'value', valueName: 'NUMBER', description: 'Records to try it on (default: all)' } },
  json: true,
  async run(invocation) {
    const { argument, value, out } = invocation;
    const report = await study(invocation, async ({ models, actor }) => {
      const modelId = await models.named(argument(0));
      const records = value('records');
      const request = { modelId, ...(records === undefined ? {} : { records: numberOf(records, 0) }) };
      const begun = await models.studies.begin(actor, { kind: 'simulation', modelId, request, model: argument(0) });
      return begun.study;
    });
    out.json(report);
    if (report.kind !== 'simulation') return;
    const { looked, records, gained, lost, candidate, active } = report;
    out.line(`${candidate} beside ${active}, on ${looked} of ${records} records:`);
    out.line(`${gained} records would join another person, ${lost} would leave theirs.`);
    for (const [change, pairs] of Object.entries(report.changes)) out.line(`  pairs, ${change}: ${pairs}`);
  },
};

export const modelActivate: Command = {
  name: 'model activate',
  summary: 'Let a model decide, and go over all records with it',
  positional: ['VERSION'],
  options: {},
  json: true,
  help: `What stewards decided stays. Ctrl-C stops watching; a running server goes on by itself. \`model roll-back\` takes it back.`,
  async run(invocation) {
    const { argument, out, withServices } = invocation;
    await withServices(async (services) => {
      const { models, actor } = services;
      await models.promote(actor, await models.named(argument(0)));
      await watched(invocation, services);
      out.line(`${argument(0)} decides.`);
    });
  },
};

export const modelRollBack: Command = {
  name: 'model roll-back',
  summary: 'Let the model before decide again, and take back what the last one linked',
  positional: [],
  options: {},
  json: true,
  async run(invocation) {
    await invocation.withServices(async (services) => {
      await services.models.rollBack(services.actor);
      await watched(invocation, services);
      invocation.out.line('Rolled back.');
    });
  },
};

const isGoing = (state: string): boolean => state === 'waiting' || state === 'running';

/** Waits for the work over all records, and says what it did. */
async function watched({ out, signal }: Invocation, { models, actor }: CommandServices): Promise<void> {
  for (;;) {
    const [last] = (await models.overview(actor)).activations;
    if (last === undefined || !isGoing(last.state) || signal.aborted) {
      out.progress('');
      out.json(last ?? {});
      if (last) {
        out.line(
          `${last.visited} of ${last.total} records gone over: ${last.joined} joined, ${last.parted} parted, ${last.takenBack} taken back, ${last.reviews} questions for stewards.`,
        );
      }
      return;
    }
    out.progress(`${last.visited} of ${last.total} records gone over`);
    await pause(LOOK_EVERY_MS);
  }
}

async function study(
  { out, signal, withServices }: Invocation,
  begin: (services: CommandServices) => Promise<StudyView>,
): Promise<StudyReportReply['report']> {
  return await withServices(async (services) => {
    const { models, actor } = services;
    const { id } = await begin(services);
    for (;;) {
      const now = await models.studies.find(id);
      if (signal.aborted) {
        await models.studies.cancel(actor, now.studyId);
        throw new Problem('conflict', 'study-cancelled', 'Stopped. Nothing of the registry was changed.');
      }
      if (!isGoing(now.view.state)) {
        out.progress('');
        if (now.view.state !== 'done')
          throw new Problem(
            'conflict',
            'study-failed',
            now.view.error ?? 'It could not be ended. Nothing was changed.',
          );
        return await models.report(actor, now.studyId);
      }
      out.progress(`${now.view.step ?? 'begins'} ${now.view.done} of ${now.view.total}`);
      await pause(LOOK_EVERY_MS);
    }
  });
}

function numberOf(text: string | undefined, usual: number): number {
  if (text === undefined) return usual;
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new Problem('invalid', 'usage', `${text} is no whole number.`);
}
