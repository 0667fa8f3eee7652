/**
 * Full mutual-TLS handshakes per second at the nodes' door, beside nginx with the same certificates, suites and one worker, in
 * the same run and in turns. `openssl s_time` is the client of both: one connection after the other from two processes, TLS 1.3,
 * nothing resumed. Processor time per handshake is read from /proc, since it says what the server costs also where the clients or
 * other programs are what bounds the rate. nginx is used when it is on the machine (`apt-get install nginx-light`); the bench says when it is not.
 *
 *     npm run bench -- handshakes [--seconds 5] [--rounds 3]
 */
import { type ChildProcess, execFile, fork, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { issueLeaf, newIssuing, newLeafKey, newRoot } from '../src/platform/tls/index.ts';
import { processorMs } from './support/processor-time.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '5' }, rounds: { type: 'string', default: '3' } },
});
const CLIENTS = 2;
const directory = mkdtempSync(join(tmpdir(), 'careseal-handshakes-'));
const exec = promisify(execFile);

async function certificates(): Promise<void> {
  const nowMs = Date.now();
  const root = await newRoot('Bench', nowMs);
  const issuing = await newIssuing(root, 'Bench', nowMs);
  const put = (name: string, content: string) => writeFileSync(join(directory, name), content);
  put('ca.crt', root.certificate.pem + issuing.certificate.pem);
  for (const usage of ['server', 'client'] as const) {
    const { spki, pem } = await newLeafKey();
    const leaf = await issueLeaf(issuing, { usage, commonName: usage, spki, names: ['localhost'], days: 30, nowMs });
    put(`${usage}.crt`, leaf.pem + issuing.certificate.pem);
    put(`${usage}.key`, pem);
  }
}

interface Served {
  readonly port: number;
  readonly pid: number;
  stop(): void;
}

async function careseal(): Promise<Served> {
  const child = fork(join(import.meta.dirname, 'support/handshake-door.ts'), [directory]);
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message: { port: number }) => resolve(message.port));
    child.once('exit', (code) => reject(new Error(`the door ended with ${code}`)));
  });
  return { port, pid: child.pid ?? 0, stop: () => child.disconnect() };
}

async function nginx(): Promise<Served | undefined> {
  if (spawnSync('nginx', ['-v'], { stdio: 'ignore' }).status !== 0) return undefined;
  const port = await freePort();
  const config = `daemon off; worker_processes 1; pid ${directory}/nginx.pid; error_log ${directory}/error.log;
events { worker_connections 1024; }
http { access_log off; client_body_temp_path ${directory}/b; proxy_temp_path ${directory}/p; fastcgi_temp_path ${directory}/f; uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
  server { listen 127.0.0.1:${port} ssl; ssl_certificate ${directory}/server.crt; ssl_certificate_key ${directory}/server.key;
    ssl_client_certificate ${directory}/ca.crt; ssl_verify_client optional_no_ca; ssl_verify_depth 3; ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache off; ssl_session_tickets off; location / { return 200 "ok"; } } }`;
  writeFileSync(join(directory, 'nginx.conf'), config);
  const child: ChildProcess = spawn('nginx', ['-c', join(directory, 'nginx.conf'), '-p', directory], {
    stdio: 'inherit',
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  return { port, pid: child.pid ?? 0, stop: () => void child.kill('SIGTERM') };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const at = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof at === 'object' && at !== null ? at.port : 0;
}

interface Measured {
  readonly perSecond: number;
  /** Of the server, its workers included. */
  readonly cpuMsEach: number;
}

async function measure({ port, pid }: Served): Promise<Measured> {
  const seconds = String(values.seconds);
  const client = ['-CAfile', 'ca.crt', '-cert', 'client.crt', '-key', 'client.key'];
  const args = ['s_time', '-connect', `127.0.0.1:${port}`, '-new', '-time', seconds, ...client];
  const before = processorMs(pid);
  const outputs = await Promise.all(Array.from({ length: CLIENTS }, () => exec('openssl', args, { cwd: directory })));
  const spent = processorMs(pid) - before;
  let made = 0;
  let perSecond = 0;
  for (const { stdout } of outputs) {
    const [, connections = '0', real = '1'] = /(\d+) connections in (\d+) real seconds/.exec(stdout) ?? [];
    made += Number(connections);
    perSecond += Number(connections) / Number(real);
  }
  return { perSecond, cpuMsEach: spent / Math.max(1, made) };
}

await certificates();
const [ours, theirs] = [await careseal(), await nginx()];
if (theirs === undefined) console.log('nginx is not on this machine: only our own figure, without a ratio.');
const ratios: number[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  const a = await measure(ours);
  const b = theirs === undefined ? undefined : await measure(theirs);
  const told = (name: string, { perSecond, cpuMsEach }: Measured) =>
    `${name} ${perSecond.toFixed(0)}/s, ${cpuMsEach.toFixed(2)} ms of processor each`;
  console.log(
    `round ${round + 1}: ${[told('Careseal', a), ...(b === undefined ? [] : [told('nginx', b)])].join('; ')}`,
  );
  if (b !== undefined) ratios.push(b.cpuMsEach / a.cpuMsEach);
}
const median = ratios.toSorted((x, y) => x - y)[Math.floor(ratios.length / 2)];
if (median !== undefined) console.log(`handshakes per processor second, of nginx's: ${median.toFixed(2)} (median)`);
ours.stop();
theirs?.stop();
rmSync(directory, { recursive: true, force: true });
