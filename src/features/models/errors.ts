import { Problem, type ProblemIssue } from '../../kernel/problem.ts';
import type { ModelsProblemCode } from './model.ts';

type ModelsProblem = Problem<ModelsProblemCode>;

export const modelNotFound = (): ModelsProblem =>
  new Problem('not-found', 'model-not-found', 'No matching model with this id is known here.');

export const modelExists = (): ModelsProblem =>
  new Problem(
    'conflict',
    'model-exists',
    'A model of this name is kept here already. Nothing was added. Choose another name: a version never changes.',
  );

export const modelInvalid = (issues: readonly ProblemIssue[]): ModelsProblem =>
  new Problem(
    'invalid',
    'model-invalid',
    'This is no matching model, or one of another version of the program. Nothing was added. `careseal model check FILE` says more.',
    { issues },
  );

export const modelUnsound = (reasons: readonly string[]): ModelsProblem =>
  new Problem(
    'unprocessable',
    'model-unsound',
    'This model would link people who have nothing in common, or cost more than matching may. Nothing was added.',
    { issues: reasons.map((detail) => ({ detail })) },
  );

export const modelActive = (): ModelsProblem =>
  new Problem('conflict', 'model-active', 'This model decides already. Nothing was changed.');

export const modelsBusy = (): ModelsProblem =>
  new Problem(
    'conflict',
    'models-busy',
    'The records are still being gone over because of the last change of model. Nothing was changed. Wait for it, or roll back.',
  );

export const simulateFirst = (): ModelsProblem =>
  new Problem(
    'conflict',
    'simulate-first',
    'See first what this model would change here: simulate it on the registry’s own records. Nothing was changed.',
  );

export const secondPersonNeeded = (): ModelsProblem =>
  new Problem(
    'conflict',
    'second-person-needed',
    'You have proposed this model; another person has to agree before it decides. Nothing was changed.',
  );

export const nothingToRollBack = (): ModelsProblem =>
  new Problem('conflict', 'nothing-to-roll-back', 'No other model decided before this one. Nothing was changed.');

export const studyNotFound = (): ModelsProblem =>
  new Problem('not-found', 'study-not-found', 'No such study is kept here. Reports are kept for 90 days.');

export const studyRunning = (): ModelsProblem =>
  new Problem('conflict', 'study-running', 'Another one of the same kind is still going on. Wait for it or cancel it.');

export const fileTooLarge = (): ModelsProblem =>
  new Problem(
    'invalid',
    'file-too-large',
    'A file to judge by may have 20 MB and 100,000 rows here. Nothing was begun. `careseal evaluate` on the command line takes larger ones.',
  );

export const fileNotCsv = (): ModelsProblem =>
  new Problem('invalid', 'file-not-csv', 'A file to judge by must be CSV. Nothing was begun.');

export const uploadGone = (): ModelsProblem =>
  new Problem('not-found', 'upload-not-found', 'The file is not here any more. Nothing was changed. Upload it again.');

export const exampleNotFound = (): ModelsProblem =>
  new Problem('not-found', 'example-not-found', 'This example is not there, or one of its records was deleted since.');

export const tooFewRecords = (least: number): ModelsProblem =>
  new Problem(
    'conflict',
    'too-few-records',
    `Training needs at least ${least} records; there are fewer. Nothing was changed. The shipped model works without training.`,
  );

export const tooFewLabels = (needed: number): ModelsProblem =>
  new Problem(
    'conflict',
    'too-few-labels',
    `Training on decisions needs at least ${needed} pairs that people found to be one person, and as many that they found different. Train without them.`,
  );
