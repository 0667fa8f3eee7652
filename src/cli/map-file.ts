import { readFileSync } from 'node:fs';
import { MapDocument } from '../features/load/wire.ts';
import { Problem } from '../kernel/problem.ts';

/** Reads a mapping document. Throws Problem `map-invalid`, naming what is wrong. */
export function readMapFile(file: string): MapDocument {
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new Problem('invalid', 'map-invalid', `The mapping ${file} cannot be read as JSON. Nothing was loaded.`, {
      cause,
    });
  }
  const parsed = MapDocument.safeParse(document);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => ({
    detail: `${issue.path.join('.') || 'mapping'}: ${issue.message}`,
  }));
  throw new Problem('invalid', 'map-invalid', `The mapping ${file} is not right. Nothing was loaded.`, { issues });
}
