import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Authenticator } from './authenticator.ts';
import { careseal, fetchFrom, type TestServer } from './server.ts';
import { type Client, OWN_PAGE } from './tls.ts';

/** A real server's first steps from outside: set-up without a browser, a node by the command line. */
export interface FirstAccount {
  readonly organisation: string;
  readonly name: string;
  readonly email: string;
  readonly password: string;
}

export interface SetUpServer {
  /** The authenticator's key. */
  readonly totpKey: string;
  readonly authenticator: Authenticator;
  /** Value of the session cookie. */
  readonly session: string;
}

/** Goes through the set-up link that the server printed. */
export async function setUpServer(server: TestServer, account: FirstAccount): Promise<SetUpServer> {
  const token = new URL(server.setupLink ?? '').hash.slice(1);
  const { body } = await post(server, '/api/setup/account', { token, ...account });
  const totpKey = new URL((JSON.parse(body) as { totp: { uri: string } }).totp.uri).searchParams.get('secret') ?? '';
  const authenticator = new Authenticator(totpKey);
  const confirmed = await post(server, '/api/setup/confirm', { token, code: await authenticator.code() });
  const session = /__Host-session=([^;]+)/.exec(String(confirmed.headers['set-cookie']))?.[1] ?? '';
  return { totpKey, authenticator, session };
}

/** Goes through a one-time link of somebody who was invited. */
export async function enrolAt(server: TestServer, link: string, password: string): Promise<void> {
  const token = new URL(link).hash.slice(1);
  const { body } = await post(server, '/api/enrol/account', { token, password });
  const { totp } = JSON.parse(body) as { totp: { uri: string } };
  const key = new URL(totp.uri).searchParams.get('secret') ?? '';
  await post(server, '/api/enrol/confirm', { token, code: await new Authenticator(key).code() });
}

async function post(server: TestServer, path: string, body: object) {
  const headers = { ...OWN_PAGE, 'content-type': 'application/json' };
  const answer = await fetchFrom(`${server.usersUrl}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.body}`);
  return answer;
}

export interface WantedNode {
  readonly home: string;
  /** Where its files go. */
  readonly folder: string;
  readonly domain: string;
}

/** `careseal node add`; answers how to speak to the nodes' door with its certificate, and what the command printed. */
export async function addNode(
  server: TestServer,
  { home, folder, domain }: WantedNode,
): Promise<{ readonly client: Client; readonly printed: string }> {
  const words = ['node', 'add', 'Clinic 7', '--domain', domain, '--out', folder, '--json'];
  const made = await careseal(words, { home });
  if (made.code !== 0) throw new Error(`node add: ${made.stderr}`);
  const read = (name: string) => readFile(join(folder, name), 'utf8');
  const identity = { certificate: await read('node.crt'), key: await read('node.key') };
  const client = { port: Number(new URL(server.nodesUrl).port), ca: await read('ca.crt'), identity };
  return { client, printed: `${made.stdout}${made.stderr}` };
}
