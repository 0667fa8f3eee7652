/** A clinic's system as an integrator would try it out: the real `curl` with its certificate, a key made by `openssl`. */
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';

const has = (program: string, argument: string): boolean => spawnSync(program, [argument]).status === 0;
export const CURL_IS_HERE = has('curl', '--version');
export const OPENSSL_IS_HERE = has('openssl', 'version');

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a line as a person types it, in a folder. */
export async function shell(line: string, folder: string): Promise<Ran> {
  return await new Promise((resolve) => {
    execFile('sh', ['-c', line], { cwd: folder, timeout: 30_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      resolve({ code, stdout, stderr });
    });
  });
}

export interface NodeAnswer {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- answers of many shapes
  readonly body: any;
}

export interface NodeRequest {
  /** With node.key, node.crt and ca.crt. */
  readonly folder: string;
  readonly url: string;
  readonly send?: object;
  /** False: trust the server, but show no certificate. */
  readonly certificate?: boolean;
}

/** One request of a node. The server's certificate is checked against ca.crt either way. */
export async function askAsNode(wanted: NodeRequest): Promise<NodeAnswer> {
  return CURL_IS_HERE ? await byCurl(wanted) : await byNode(wanted);
}

async function byCurl({ folder, url, send, certificate = true }: NodeRequest): Promise<NodeAnswer> {
  const words = [
    ...['--silent', '--show-error', '--max-time', '20', '--cacert', 'ca.crt', '--write-out', '\n%{http_code}'],
    ...(certificate ? ['--cert', 'node.crt', '--key', 'node.key'] : []),
    ...(send === undefined ? [] : ['-H', 'Content-Type: application/fhir+json', '-d', JSON.stringify(send)]),
    url,
  ];
  const ran = await new Promise<Ran>((resolve) => {
    execFile('curl', words, { cwd: folder, maxBuffer: 64 << 20 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : 1, stdout, stderr }),
    );
  });
  if (ran.code !== 0) throw new Error(`curl: ${ran.stderr}`);
  const end = ran.stdout.lastIndexOf('\n');
  return answer(Number(ran.stdout.slice(end + 1)), ran.stdout.slice(0, end));
}

async function byNode({ folder, url, send, certificate = true }: NodeRequest): Promise<NodeAnswer> {
  const file = (name: string): Buffer => readFileSync(join(folder, name));
  const identity = certificate ? { cert: file('node.crt'), key: file('node.key') } : {};
  const method = send === undefined ? 'GET' : 'POST';
  const headers = send === undefined ? {} : { 'content-type': 'application/fhir+json' };
  return await new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false, ca: file('ca.crt'), ...identity }, (got) => {
      let text = '';
      got.setEncoding('utf8').on('data', (part: string) => (text += part));
      got.once('end', () => resolve(answer(got.statusCode ?? 0, text)));
    });
    sent.once('error', reject);
    sent.end(send === undefined ? undefined : JSON.stringify(send));
  });
}

const answer = (status: number, text: string): NodeAnswer => ({
  status,
  body: text === '' ? undefined : JSON.parse(text),
});
