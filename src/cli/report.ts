import { isProblem } from '../kernel/problem.ts';

/** Says what failed, what is unharmed and what to do; for programs as one JSON document on standard output. */
export function reportFailure(error: unknown, asJson: boolean): void {
  const { code, detail } = describe(error);
  if (asJson) process.stdout.write(`${JSON.stringify({ error: { code, detail } })}\n`);
  process.stderr.write(`careseal: ${detail}\n`);
}

const ADVICE: Readonly<Record<string, string>> = {
  'home-in-use': 'Nothing was changed. Stop it first, or set CARESEAL_HOME to another directory.',
  configuration: 'Nothing was started or changed. `careseal config --help` tells about settings.',
  EADDRINUSE: 'Another program listens there. Nothing was changed; stop it, or choose another port.',
  EACCES: 'Careseal may not use that file or port. Nothing was changed; check its owner and rights.',
  ENOSPC: 'The disk is full. What was saved before is unharmed; make room and try again.',
  ENOENT: 'That file or folder is not there, or cannot be made there. Check the name and try again.',
  ENOTDIR: 'A part of that name is a file, not a folder. Check the name and try again.',
  EISDIR: 'That is a folder, not a file. Check the name and try again.',
  EROFS: 'Nothing can be written there. Choose another place and try again.',
  'database-unavailable': 'Nothing was changed. Where it is reached: `careseal config`, CARESEAL_DATABASE_URL.',
};

function describe(error: unknown): { code: string; detail: string } {
  if (isProblem(error)) {
    const detail = [error.publicDetail, ...(error.options.issues ?? []).map((issue) => `  - ${issue.detail}`)];
    const listed = error.code === 'configuration' ? [error.publicDetail] : detail;
    return { code: error.code, detail: withAdvice(listed.join('\n'), error.code) };
  }
  if (!(error instanceof Error)) return { code: 'internal', detail: 'An unknown error. Nothing was committed.' };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'internal';
  // At the operator's own terminal an unexpected error may say where it arose.
  const detail = code in ADVICE ? error.message : (error.stack ?? error.message);
  return { code, detail: withAdvice(detail, code) };
}

function withAdvice(detail: string, code: string): string {
  const advice = ADVICE[code];
  return advice === undefined ? detail : `${detail}\n${advice}`;
}
