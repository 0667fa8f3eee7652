import { readFileSync } from 'node:fs';
import { ZodError } from 'zod';
import { type MatchingModel, parseModel } from '../features/matching/index.ts';
import { Problem } from '../kernel/problem.ts';

/** Reads a model document. Throws Problem `model-invalid`, naming what is wrong. */
export function readModelFile(file: string): MatchingModel {
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new Problem('invalid', 'model-invalid', `The model ${file} cannot be read as JSON. Nothing was changed.`, {
      cause,
    });
  }
  try {
    return parseModel(document);
  } catch (cause) {
    const issues =
      cause instanceof ZodError
        ? cause.issues.map(({ path, message }) => ({ detail: `${path.join('.') || 'model'}: ${message}` }))
        : [];
    throw new Problem('invalid', 'model-invalid', `The model ${file} is not right. Nothing was changed.`, {
      cause,
      issues,
    });
  }
}
