import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

/** Independent programs that tests use when the machine has them; `skipIf(!has('curl'))` says loudly when it has not. */
export function has(program: string): boolean {
  const found = spawnSync(program, [program === 'openssl' ? 'version' : '--version'], { stdio: 'ignore' }).status === 0;
  if (!found) console.warn(`SKIPPED: ${program} is not on this machine, so what it would show was not tried.`);
  return found;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const exec = promisify(execFile);

/** Runs a program beside this process (a server may be in it) and answers how it ended, whatever that was. */
export async function run(program: string, args: readonly string[], cwd: string): Promise<Ran> {
  try {
    return { code: 0, ...(await exec(program, [...args], { cwd, timeout: 60_000 })) };
  } catch (error) {
    if (typeof error !== 'object' || error === null || !('code' in error) || typeof error.code !== 'number')
      throw error;
    const { stdout, stderr } = error as typeof error & { stdout: string; stderr: string };
    return { code: error.code, stdout, stderr };
  }
}
