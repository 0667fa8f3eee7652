import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Problem } from '../kernel/problem.ts';
import type { Command } from './command.ts';
import { readInput } from './node-files.ts';

const PASSPHRASE = {
  'passphrase-file': {
    kind: 'value',
    valueName: 'FILE',
    required: true,
    description: 'File whose first line is the passphrase, at least 12 characters',
  },
} as const;

export const caStatus: Command = {
  name: 'ca status',
  summary: 'Show Careseal’s own certificate authorities and where their keys are',
  positional: [],
  options: {},
  json: true,
  async run({ out, withServices }) {
    const authorities = await withServices(({ nodes }) => nodes.authorities.status());
    out.json({ authorities });
    for (const { kind, subject, sha256, notAfterMs, keyIsHere } of authorities)
      out.line(
        `${kind.padEnd(7)}  ${subject}  until ${new Date(notAfterMs).toISOString().slice(0, 10)}  ${sha256.slice(0, 16)}…  ${keyIsHere ? 'key here' : 'key kept elsewhere'}`,
      );
  },
};

export const caTakeRootAway: Command = {
  name: 'ca take-root-away',
  summary: 'Write the root’s key to a file and forget it here',
  positional: ['FILE'],
  options: PASSPHRASE,
  json: true,
  help: `The root signs an issuing authority every three years and nothing else. Keep the file on a medium in a safe, and the
passphrase elsewhere. Careseal says some time ahead when the root is needed; "careseal ca renew" uses it.`,
  async run({ argument, required, out, withServices }) {
    const file = resolve(argument(0));
    const passphrase = passphraseOf(required('passphrase-file'));
    if (existsSync(file))
      throw new Problem('conflict', 'files-exist', `${file} is there already. Nothing was changed.`);
    await withServices(async ({ nodes, actor }) => {
      const { pem, forget } = await nodes.rootKey.takeAway(actor, passphrase);
      writeFileSync(file, pem, { flag: 'wx', mode: 0o600 });
      // Forgotten only when what was written reads back whole.
      if (readFileSync(file, 'utf8') !== pem)
        throw new Problem('internal', 'file-differs', `${file} was not written whole. The key stays here.`);
      await forget();
    });
    out.json({ file });
    out.line(`The root's key is in ${file} and no longer here. Put it where this machine cannot reach it.`);
    out.line(
      'Copies that PostgreSQL keeps of old rows go with the next vacuum; backups made before now still hold it, sealed.',
    );
  },
};

export const caRenew: Command = {
  name: 'ca renew',
  summary: 'Make the next issuing authority with the root’s key from its file',
  positional: [],
  options: {
    'root-key': {
      kind: 'value',
      valueName: 'FILE',
      required: true,
      description: 'What "careseal ca take-root-away" wrote',
    },
    ...PASSPHRASE,
  },
  json: true,
  async run({ required, out, withServices }) {
    const pem = readInput(required('root-key'));
    const passphrase = passphraseOf(required('passphrase-file'));
    const authorities = await withServices(async ({ nodes, actor }) => {
      await nodes.rootKey.renew(actor, pem, passphrase);
      return nodes.authorities.status();
    });
    out.json({ authorities });
    out.line('A new issuing authority signs from now on. Certificates of the former one go on to be accepted.');
  },
};

const PASSPHRASE_MIN = 12;

function passphraseOf(file: string): string {
  const [line = ''] = readInput(file).split(/\r?\n/, 1);
  if (line.length < PASSPHRASE_MIN)
    throw new Problem(
      'invalid',
      'usage',
      `The passphrase in ${file} has fewer than ${PASSPHRASE_MIN} characters. Nothing was changed.`,
    );
  return line;
}
