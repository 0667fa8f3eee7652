/**
 * careseal-verify: checks a Careseal audit log from outside. One file that needs nothing but Node 22 or later: no network, no
 * Careseal, no other module. scripts/build-verifier.ts makes it.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sha256 } from '../../crypto/hash.ts';
import { verifyEd25519 } from '../../crypto/portable.ts';
import { type Checkpoint, parseCheckpoint, parseVerifierKey } from '../checkpoint.ts';
import { parseWitnessKey, type WitnessKey } from '../cosignature.ts';
import {
  checkCheckpoint,
  checkExportedEvent,
  type Finding,
  isWrong,
  NOT_KNOWN,
  recountLog,
  type Tools,
  type Trust,
} from '../outside.ts';

const HELP = `Usage: node careseal-verify.mjs [--key KEY] [--witness KEY]... [--since FILE]... [--json] PATH...

PATH is an event that was exported with its proof (JSON), a checkpoint, or a folder with a copy of a log
(\`careseal audit export --out FOLDER\`, or a mirror of /audit/log/).

  --key KEY      Verifier key of the log, as you got it from somebody you trust
  --witness KEY  Key of a witness whose signature you want to see; may be repeated
  --since FILE   A checkpoint you kept before: the log must have grown out of it; may be repeated
  --json         One JSON document: { ok, results: [{ path, findings: [{ verdict, text }] }] }

Exit code 0: nothing is wrong. 1: something is. 2: called in a wrong way.`;

const tools: Tools = { sha256, verifyEd25519 };

class Usage extends Error {}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      key: { type: 'string' },
      witness: { type: 'string', multiple: true },
      since: { type: 'string', multiple: true },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true || positionals.length === 0) {
    say(HELP);
    return values.help === true ? 0 : 2;
  }
  const trust = trustOf(values.key, values.witness ?? []);
  const kept = await Promise.all((values.since ?? []).map(readCheckpoint));
  const results: { path: string; findings: Finding[] }[] = [];
  for (const path of positionals) results.push({ path, findings: await check(path, trust, kept) });
  const ok = !results.some(({ findings }) => isWrong(findings));
  if (values.json === true) say(JSON.stringify({ ok, results, notKnown: NOT_KNOWN }));
  else print(ok, results);
  return ok ? 0 : 1;
}

function trustOf(key: string | undefined, witnesses: readonly string[]): Trust {
  const logKey = key === undefined ? undefined : parseVerifierKey(sha256, key.trim());
  if (key !== undefined && logKey === undefined) throw new Usage('--key is no verifier key.');
  const witnessKeys = witnesses.map((text): WitnessKey => {
    const parsed = parseWitnessKey(sha256, text.trim());
    if (parsed === undefined) throw new Usage('--witness is no key of a witness.');
    return parsed;
  });
  return { logKey, witnessKeys };
}

async function check(path: string, trust: Trust, kept: readonly Checkpoint[]): Promise<Finding[]> {
  if ((await stat(path)).isDirectory()) {
    const read = (name: string): Promise<Uint8Array | undefined> =>
      readFile(join(path, ...name.split('/'))).catch(() => undefined);
    return (await recountLog(tools, { read }, { trust, kept })).findings;
  }
  const text = await readFile(path, 'utf8');
  if (text.trimStart().startsWith('{')) return await checkExportedEvent(tools, parsed(text), trust);
  return (await checkCheckpoint(tools, text, { trust })).findings;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readCheckpoint(file: string): Promise<Checkpoint> {
  const text = await readFile(file, 'utf8');
  const checkpoint = parseCheckpoint(text.endsWith('\n') ? text : `${text}\n`);
  if (checkpoint === undefined) throw new Usage(`${file} is no checkpoint.`);
  return checkpoint;
}

const MARK = { right: 'right  ', wrong: 'WRONG  ', unknown: 'unknown' } as const;

function print(ok: boolean, results: readonly { path: string; findings: readonly Finding[] }[]): void {
  for (const { path, findings } of results) {
    say(path);
    for (const { verdict, text } of findings) say(`  ${MARK[verdict]}  ${text}`);
  }
  say(ok ? '\nNothing is wrong.' : '\nSOMETHING IS WRONG. Keep what you were given as it is.');
  say('\nWhat these checks cannot know:');
  for (const text of NOT_KNOWN) say(`  - ${text}`);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : 'It failed.'}\n`);
  process.exitCode = 2;
}
