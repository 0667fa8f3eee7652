import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { sha256 } from '../crypto/index.ts';
import { openWitness } from '../features/witness/index.ts';
import { Problem } from '../kernel/problem.ts';
import { systemClock } from '../platform/clock.ts';
import { startSmallServer } from '../platform/small-http/index.ts';
import { parseVerifierKey, type VerifierKey } from '../verifier/index.ts';
import type { Command } from './command.ts';

const DEFAULT_LISTEN = '127.0.0.1:8465';
const DEFAULT_DIRECTORY = 'careseal-witness';

export const witness: Command = {
  name: 'witness',
  summary: 'Watch the audit logs of others: sign their heads, refuse forks',
  positional: [],
  options: {
    logs: {
      kind: 'value',
      valueName: 'FILE',
      required: true,
      description: 'Verifier keys of the logs to watch, one a line (`verifierKey` of `careseal audit head --json`)',
    },
    directory: {
      kind: 'value',
      valueName: 'DIR',
      description: `Key and memory of this witness; ./${DEFAULT_DIRECTORY}`,
    },
    name: { kind: 'value', valueName: 'NAME', description: 'Name to sign under; by default this machine’s' },
    listen: { kind: 'value', valueName: 'HOST:PORT', description: `Where to listen; ${DEFAULT_LISTEN}` },
    certificate: { kind: 'value', valueName: 'FILE', description: 'Certificate chain (PEM) for HTTPS' },
    key: { kind: 'value', valueName: 'FILE', description: 'Its private key (PEM)' },
  },
  json: true,
  help: `Run this on another machine, for somebody who does not have to trust the server: a ministry, an auditor. It speaks
C2SP tlog-witness, keeps the newest head of each log, and puts its signature only under heads that grew out of it. Give the key it
prints to the log's administrator (setting auditWitnesses; auditWitnessAuthorityFile where its certificate is of no public
authority). The directory is its memory: never copy it to run a second one, never delete it and keep the key.`,
  async run({ value, required, out, signal }) {
    const logs = readLogs(required('logs'));
    const name = value('name') ?? hostname();
    const directory = resolve(value('directory') ?? DEFAULT_DIRECTORY);
    const opened = await openWitness({ name, directory, logs, clock: systemClock });
    const tls = tlsFiles(value('certificate'), value('key'));
    const { host, port } = address(value('listen') ?? DEFAULT_LISTEN);
    const server = await startSmallServer({ host, port, ...(tls === undefined ? {} : { tls }), handle: opened.handle });
    const url = `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${server.port}`;
    out.json({ url, verifierKey: opened.verifierKey, logs: logs.map((log) => log.name) });
    out.line(`Watching ${logs.map((log) => log.name).join(', ')} at ${url}`);
    out.line(`Setting for the log: auditWitnesses = "${url} ${opened.verifierKey}"`);
    await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
    await server.close();
  },
};

function readLogs(file: string): VerifierKey[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Problem('invalid', 'witness-logs', `The file ${file} cannot be read. Nothing was started.`, { cause });
  }
  const lines = text.split('\n').map((line) => line.trim());
  const logs = lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => parseVerifierKey(sha256, line));
  if (logs.length > 0 && logs.every((log) => log !== undefined)) return logs;
  throw new Problem(
    'invalid',
    'witness-logs',
    `${file} holds a line that is no verifier key, or none. Nothing was started.`,
  );
}

function tlsFiles(certificateFile: string | undefined, keyFile: string | undefined) {
  if (certificateFile === undefined && keyFile === undefined) return undefined;
  if (certificateFile !== undefined && keyFile !== undefined) return { certificateFile, keyFile };
  throw new Problem('invalid', 'usage', '--certificate and --key belong together.');
}

function address(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || !(port <= 65_535)) throw new Problem('invalid', 'usage', '--listen is HOST:PORT.');
  return { host, port };
}
