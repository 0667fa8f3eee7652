import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { wireNode } from '../features/nodes/index.ts';
import { addNodeRequestSchema, revokeNodeRequestSchema, type WireNode } from '../features/nodes/wire.ts';
import { Problem } from '../kernel/problem.ts';
import type { Command } from './command.ts';

const FILES = ['node.key', 'node.crt', 'ca.crt'] as const;

export const nodeAdd: Command = {
  name: 'node add',
  summary: 'Register a system, give it a domain and issue its certificate',
  positional: ['NAME'],
  options: {
    domain: { kind: 'value', valueName: 'SYSTEM', required: true, description: 'Identifier system the node will own' },
    out: {
      kind: 'value',
      valueName: 'DIR',
      required: true,
      description: 'Where node.crt, ca.crt and node.key are written',
    },
    csr: {
      kind: 'value',
      valueName: 'FILE',
      description: "The node's own certificate request; then no key is made here",
    },
  },
  json: true,
  help: `Without --csr a key is made and written to node.key, and nowhere else: it cannot be shown again.
With --csr the key stays where it is. Such a request is made by
  openssl req -new -newkey rsa:3072 -nodes -keyout node.key -out node.csr -subj "/CN=clinic-7"
Try the connection with
  curl --cacert ca.crt --cert node.crt --key node.key https://localhost:8444/fhir/metadata`,
  async run({ argument, required, value, out, withServices }) {
    const csrFile = value('csr');
    const wanted = addNodeRequestSchema.safeParse({
      name: argument(0),
      domain: required('domain'),
      ...(csrFile === undefined ? {} : { csr: readRequest(csrFile) }),
    });
    if (!wanted.success) throw invalid(wanted.error.issues);
    const directory = prepareDirectory(required('out'), csrFile === undefined ? FILES : ['node.crt', 'ca.crt']);
    const { node, files, fhirUrl } = await withServices(async (services) => ({
      ...(await services.nodes.addNode(services.actor, wanted.data)),
      fhirUrl: services.fhirUrl,
    }));
    const written = FILES.flatMap((name) => {
      const content = files[name];
      return content === undefined ? [] : [writeNew(join(directory, name), content, name === 'node.key')];
    });
    out.json({ node: wireNode(node), files: written, fhirUrl });
    out.line(`The node "${node.name}" owns ${node.domains.join(', ')} from now on. Written:`);
    for (const file of written) out.line(`  ${file}`);
    out.line('Try the connection, where its key is, with');
    out.line(`  curl --cacert ca.crt --cert node.crt --key node.key ${fhirUrl}/metadata`);
  },
};

export const nodeList: Command = {
  name: 'node list',
  summary: 'List the systems that may connect',
  positional: [],
  options: {},
  json: true,
  async run({ out, withServices }) {
    const { nodes } = await withServices(({ nodes: service, actor }) => service.listNodes(actor));
    const listed = nodes.map(wireNode);
    out.json({ nodes: listed });
    if (listed.length === 0) out.line('There are no nodes yet. `careseal node add` makes one.');
    const width = Math.max(0, ...listed.map((node) => node.name.length));
    for (const node of listed)
      out.line(`${node.name.padEnd(width)}  ${describeState(node)}  ${node.domains.join(' ')}`);
  },
};

export const nodeRevoke: Command = {
  name: 'node revoke',
  summary: "End a system's access, at its next request",
  positional: ['NAME'],
  options: { reason: { kind: 'value', valueName: 'TEXT', required: true, description: 'Why; kept in the audit log' } },
  json: true,
  async run({ argument, required, out, withServices }) {
    const wanted = revokeNodeRequestSchema.safeParse({ reason: required('reason') });
    if (!wanted.success) throw invalid(wanted.error.issues);
    const { node } = await withServices(({ nodes, actor }) =>
      nodes.revokeNode(actor, { name: argument(0) }, wanted.data.reason),
    );
    out.json({ node: wireNode(node) });
    out.line(`The node "${node.name}" has no access any more. Its records stay; its domain is free for another node.`);
  },
};

function readRequest(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Problem('invalid', 'csr-unreadable', `The file ${file} cannot be read. Nothing was changed.`, { cause });
  }
}

/**
 * Before anything is issued: a certificate that cannot be handed over would stay registered for nobody. A node's own key may
 * lie there already: beside its request is where its certificate belongs.
 */
function prepareDirectory(path: string, files: readonly string[]): string {
  const directory = resolve(path);
  const taken = files.filter((name) => existsSync(join(directory, name)));
  if (taken.length > 0)
    throw new Problem(
      'conflict',
      'files-exist',
      `${directory} holds ${taken.join(', ')} already. Nothing was changed; choose another directory.`,
    );
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const probe = join(directory, `.careseal-${process.pid}`);
    writeFileSync(probe, '', { flag: 'wx' });
    rmSync(probe);
  } catch (cause) {
    throw new Problem('invalid', 'out-not-writable', `${directory} cannot be written. Nothing was changed.`, { cause });
  }
  return directory;
}

/** Never over an existing file; the key is nobody else's to read from its first byte on. */
function writeNew(file: string, content: string, isSecret: boolean): string {
  writeFileSync(file, content, { flag: 'wx', mode: isSecret ? 0o600 : 0o644 });
  chmodSync(file, isSecret ? 0o600 : 0o644);
  return file;
}

function describeState(node: WireNode): string {
  if (node.state === 'revoked') return `revoked ${node.revokedAt?.slice(0, 10) ?? ''}`;
  const until = node.certificates.find((certificate) => certificate.revokedAt === undefined)?.notAfter.slice(0, 10);
  const seen = node.lastSeenAt === undefined ? 'never seen' : `seen ${node.lastSeenAt.slice(0, 16).replace('T', ' ')}`;
  return `certificate until ${until ?? '-'}, ${seen}`;
}

function invalid(issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]): Problem {
  const text = issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  return new Problem('invalid', 'usage', `Nothing was changed. ${text}.`);
}
