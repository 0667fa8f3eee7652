import { z } from 'zod';
import { randomBytes } from '../../crypto/index.ts';
import { fromBase64Url, toBase64Url } from '../../kernel/bytes.ts';
import { encodingProblem } from './errors.ts';
import type { EncodingProject, Hardening } from './model.ts';

const KEY_BYTES = 32;

const projectFile = z.strictObject({
  format: z.literal('careseal-encoding-project/1'),
  name: z.string().min(1).max(100),
  hardening: z.enum(['balanced', 'xor-folded']),
  /** base64url; whoever has it can test whether a person is in an encoded file. */
  key: z.string(),
});

export function newProject(name: string, hardening: Hardening): EncodingProject {
  return { name, hardening, key: randomBytes(KEY_BYTES) };
}

/** The project as the file that both programmes keep: secret. */
export function printProject({ name, hardening, key }: EncodingProject): string {
  const file = { format: 'careseal-encoding-project/1', name, hardening, key: toBase64Url(key) } satisfies z.input<
    typeof projectFile
  >;
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

/** Reads a project file. Throws Problem `project-invalid`. */
export function parseProject(text: string): EncodingProject {
  const document = projectFile.safeParse(parseJson(text));
  const key = document.success ? fromBase64Url(document.data.key) : undefined;
  if (!document.success || key?.length !== KEY_BYTES) {
    throw encodingProblem(
      'project-invalid',
      'This is not the project file that `careseal encodings key` made, or it was changed. Nothing was encoded. Ask the other programme for the file again, by a safe way.',
    );
  }
  return { name: document.data.name, hardening: document.data.hardening, key };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
