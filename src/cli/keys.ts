import { readFile } from 'node:fs/promises';
import { Problem } from '../kernel/problem.ts';
import type { CommandServices } from '../main/index.ts';
import { keyRotation } from '../main/index.ts';
import type { KeyRotation, RotationStatus } from '../store/index.ts';
import type { Command, Invocation, Output } from './command.ts';

const WHAT = ['root', 'key-encryption', 'data', 'index'] as const;
type What = (typeof WHAT)[number];

/** What became of one of the four. */
interface Rotated {
  readonly what: What;
  readonly finished: boolean;
  readonly seconds: number;
  readonly rows?: number;
  readonly left?: readonly string[];
}

export const keysRotate: Command = {
  name: 'keys rotate',
  summary: 'Replace keys: root, key-encryption, data, index; all four when none is named',
  positional: ['WHAT?'],
  options: {
    'new-passphrase-file': {
      kind: 'value',
      valueName: 'FILE',
      description: 'With root, where it comes from a passphrase: the passphrase to use from now on',
    },
  },
  json: true,
  help: `root and key-encryption wrap the keys below them anew and take a moment. data seals every record anew, index makes
every search token anew; they take minutes to hours, the server serves meanwhile, and an interruption loses nothing: the
server goes on with it, and so does this command when called again. Keep a backup of the new root key.`,
  async run(invocation) {
    const wanted = parseWhat(invocation.optionalArgument(0));
    const options = await passphraseOptions(invocation);
    const rotated = await invocation.withServices(async (services) => {
      const rotation = await keyRotation(services, options);
      const steps = wanted === undefined ? remaining(await rotation.status()) : [wanted];
      return await rotateSteps({ services, rotation, steps }, invocation);
    });
    invocation.out.json({ rotated });
    return rotated.every((one) => one.finished && (one.left ?? []).length === 0) ? 0 : 1;
  },
};

export const keysList: Command = {
  name: 'keys list',
  summary: 'List the keys, never their bytes, and how far a rotation has come',
  positional: [],
  options: {},
  json: true,
  async run({ out, withServices }) {
    const status = await withServices(async (services) => await (await keyRotation(services)).status());
    out.json({
      keys: status.keys.map(({ sinceMs, ...key }) => ({ ...key, since: new Date(sinceMs).toISOString() })),
      ...(status.running === undefined ? {} : { running: { kind: status.running.kind, parts: status.running.parts } }),
    });
    for (const { id, purpose, family, state, sinceMs } of status.keys) {
      out.line(`${String(id).padStart(4)}  ${purpose} (${family}): ${state} since ${new Date(sinceMs).toISOString()}`);
    }
    for (const { participant, done, total } of status.running?.parts ?? []) {
      out.line(`Rotating ${status.running?.kind}: ${participant} ${done} of ${total}`);
    }
  },
};

function parseWhat(text: string | undefined): What | undefined {
  const what = WHAT.find((one) => one === text);
  if (text !== undefined && what === undefined) {
    throw new Problem('invalid', 'usage', `There are no "${text}" keys; there are ${WHAT.join(', ')}.`);
  }
  return what;
}

/** All four, or what is left of them when the last call was interrupted. */
function remaining({ running }: RotationStatus): readonly What[] {
  return running === undefined ? WHAT : WHAT.slice(WHAT.indexOf(running.kind));
}

async function passphraseOptions({ value }: Invocation): Promise<{ readonly nextPassphrase?: string }> {
  const file = value('new-passphrase-file');
  if (file === undefined) return {};
  return { nextPassphrase: (await readFile(file, 'utf8')).replace(/\r?\n$/, '') };
}

interface Work {
  readonly services: CommandServices;
  readonly rotation: KeyRotation;
  readonly steps: readonly What[];
}

async function rotateSteps({ services, rotation, steps }: Work, { out, signal }: Invocation): Promise<Rotated[]> {
  const rotated: Rotated[] = [];
  for (const what of steps) {
    if (signal.aborted) break;
    await record(services, what, 'begun');
    const one = await rotate(rotation, what, { out, signal });
    rotated.push(one);
    await record(services, what, one.finished ? 'finished' : 'interrupted');
    out.line(sentence(one));
  }
  return rotated;
}

async function rotate(
  rotation: KeyRotation,
  what: What,
  { out, signal }: Pick<Invocation, 'out' | 'signal'>,
): Promise<Rotated> {
  const started = performance.now();
  const seconds = (): number => Math.round((performance.now() - started) / 100) / 10;
  if (what === 'data' || what === 'index') {
    const onProgress = progressLine(out, what);
    const { rows, finished, left } = await rotation.reseal(what, { signal, onProgress });
    return { what, finished, seconds: seconds(), rows, left };
  }
  await (what === 'root' ? rotation.rotateRoot() : rotation.rotateKeyEncryption());
  return { what, finished: true, seconds: seconds() };
}

function progressLine(out: Output, what: What) {
  return ({ participant, done, total }: { participant: string; done: number; total: number }): void =>
    out.progress(`${what}: ${participant} ${done} of ${total}`);
}

function sentence({ what, finished, seconds, rows, left = [] }: Rotated): string {
  if (!finished) return `The ${what} keys: stopped after ${rows} rows, nothing lost. Call this again to go on.`;
  const done = `The ${what} keys were replaced${rows === undefined ? '' : `, ${rows} rows made new`} (${seconds} s).`;
  if (left.length === 0) return done;
  return `${done} The old key was kept, because values under it are left in ${left.join('; ')}. Please report this.`;
}

async function record({ audit, actor }: CommandServices, what: What, phase: string): Promise<void> {
  await audit.recordNow([{ actor, event: 'keys.rotate', action: 'E', outcome: 'success', detail: { what, phase } }]);
}
