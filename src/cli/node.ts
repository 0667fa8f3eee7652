import { wireNode } from '../features/nodes/index.ts';
import { addNodeRequestSchema, revokeNodeRequestSchema, type WireNode } from '../features/nodes/wire.ts';
import type { Command, Invocation } from './command.ts';
import { invalid, prepareDirectory, readInput, writeNew } from './node-files.ts';

const FILES = ['node.key', 'node.crt', 'node.p12', 'ca.crt'] as const;

export const nodeAdd: Command = {
  name: 'node add',
  summary: 'Register a system, give it a domain and issue its certificate',
  positional: ['NAME'],
  options: {
    domain: {
      kind: 'value',
      valueName: 'SYSTEM',
      required: true,
      description: 'Identifier systems the node will own, separated by commas',
    },
    out: {
      kind: 'value',
      valueName: 'DIR',
      required: true,
      description: 'Where node.crt, ca.crt, node.key and node.p12 are written',
    },
    csr: {
      kind: 'value',
      valueName: 'FILE',
      description: "The node's own certificate request; then no key is made here",
    },
    certificate: { kind: 'value', valueName: 'FILE', description: 'A certificate it has already, self-signed or not' },
    'accept-long': { kind: 'flag', description: 'Take a certificate of more than two years, and end it after two' },
    invite: { kind: 'flag', description: 'Issue nothing yet; print a one-time token for POST /enrol' },
    later: { kind: 'flag', description: 'Issue nothing: a trusted authority will speak for it (careseal trust rule)' },
    scopes: { kind: 'value', valueName: 'LIST', description: 'Of read,search,pix,match,feed,subscribe,audit' },
    networks: { kind: 'value', valueName: 'LIST', description: 'Networks it may connect from; everywhere by default' },
    'per-minute': { kind: 'value', valueName: 'N', description: 'Requests a minute' },
    contact: { kind: 'value', valueName: 'TEXT', description: 'Whom to call; kept sealed' },
    'token-required': { kind: 'flag', description: 'Its certificate alone is not enough: each request needs a token' },
  },
  json: true,
  help: `Without --csr a key is made and written to node.key and node.p12, and nowhere else: it cannot be shown again.
With --csr the key stays where it is. Such a request is made by
  openssl req -new -newkey rsa:3072 -nodes -keyout node.key -out node.csr -subj "/CN=clinic-7"
Try the connection with
  curl --cacert ca.crt --cert node.crt --key node.key https://localhost:8444/fhir/metadata`,
  async run(invocation) {
    const { required, out, withServices } = invocation;
    const wanted = addNodeRequestSchema.safeParse(wishes(invocation));
    if (!wanted.success) throw invalid(wanted.error.issues);
    const { way } = wanted.data;
    const directory = prepareDirectory(
      required('out'),
      way === 'make' ? FILES : way === 'csr' ? ['node.crt', 'ca.crt'] : ['ca.crt'],
    );
    const answer = await withServices((services) => services.nodes.addInWay(services.actor, wanted.data));
    const { node, files, fhirUrl, invitation } = answer.answer;
    const written = FILES.flatMap((name) => {
      const content = files[name];
      if (content === undefined) return [];
      const bytes = name === 'node.p12' ? Buffer.from(content, 'base64') : content;
      return [writeNew(directory, name, bytes)];
    });
    const password = files.p12Password;
    out.json({
      node,
      files: written,
      fhirUrl,
      ...(invitation && { invitation }),
      ...(password && { p12Password: password }),
    });
    out.line(`The node "${node.name}" owns ${node.domains.join(', ')} from now on. Written:`);
    for (const file of written) out.line(`  ${file}`);
    if (password !== undefined) out.line(`The password of node.p12, shown only now: ${password}`);
    if (invitation !== undefined) {
      out.line(`Its one-time token, until ${invitation.expiresAt}: ${invitation.token}`);
      out.line('Where its key is, with its request node.csr:');
      out.line(
        `  curl --cacert ca.crt -H "Authorization: Bearer TOKEN" --data-binary @node.csr -o node.crt ${invitation.enrolUrl}`,
      );
      return;
    }
    out.line('Try the connection, where its key is, with');
    out.line(`  curl --cacert ca.crt --cert node.crt --key node.key ${fhirUrl}/metadata`);
  },
};

function wishes({ argument, required, value, flag }: Invocation): object {
  const list = (name: string) =>
    value(name)
      ?.split(',')
      .map((part) => part.trim());
  const csr = value('csr');
  const certificate = value('certificate');
  const way = flag('invite')
    ? 'invite'
    : flag('later')
      ? 'later'
      : certificate !== undefined
        ? 'trust'
        : csr !== undefined
          ? 'csr'
          : 'make';
  const all = {
    name: argument(0),
    domains: required('domain')
      .split(',')
      .map((part) => part.trim()),
    way,
    scopes: list('scopes'),
    networks: list('networks'),
    perMinute: value('per-minute') === undefined ? undefined : Number(value('per-minute')),
    contact: value('contact'),
    tokenRequired: flag('token-required') || undefined,
    csr: csr === undefined ? undefined : readInput(csr),
    certificate: certificate === undefined ? undefined : readInput(certificate),
    acceptLong: flag('accept-long') || undefined,
  };
  return Object.fromEntries(Object.entries(all).filter(([, one]) => one !== undefined));
}

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

const REASON = {
  reason: { kind: 'value', valueName: 'TEXT', required: true, description: 'Why; kept in the audit log' },
} as const;

export const nodeRevoke: Command = {
  name: 'node revoke',
  summary: "End a system's access for ever, at its next request",
  positional: ['NAME'],
  options: REASON,
  json: true,
  async run({ argument, required, out, withServices }) {
    const reason = reasonOf(required('reason'));
    const { node } = await withServices(({ nodes, actor }) => nodes.revokeNode(actor, { name: argument(0) }, reason));
    out.json({ node: wireNode(node) });
    out.line(`The node "${node.name}" has no access any more. Its records stay; its domain is free for another node.`);
  },
};

export const nodeSuspend: Command = {
  name: 'node suspend',
  summary: "Stop a system's access for a while, at its next request",
  positional: ['NAME'],
  options: REASON,
  json: true,
  async run({ argument, required, out, withServices }) {
    const reason = reasonOf(required('reason'));
    const { node } = await withServices(({ nodes, actor }) => nodes.suspendNode(actor, { name: argument(0) }, reason));
    out.json({ node: wireNode(node) });
    out.line(`The node "${node.name}" is suspended. "careseal node resume" lets it in again.`);
  },
};

export const nodeResume: Command = {
  name: 'node resume',
  summary: 'Let a suspended system in again',
  positional: ['NAME'],
  options: {},
  json: true,
  async run({ argument, out, withServices }) {
    const { node } = await withServices(({ nodes, actor }) => nodes.resumeNode(actor, { name: argument(0) }));
    out.json({ node: wireNode(node) });
    out.line(`The node "${node.name}" may connect again.`);
  },
};

export const nodeConfirm: Command = {
  name: 'node confirm',
  summary: 'Vouch for a system whose record was written by other means: after an upgrade or a repair',
  positional: ['NAME'],
  options: {},
  json: true,
  help: `Careseal refuses nodes whose rows it did not write itself. Look at "careseal node list --json" and the audit log
first: what you confirm is what is in the database now, with its scopes, domains and certificates.`,
  async run({ argument, out, withServices }) {
    const { node } = await withServices(({ nodes, actor }) => nodes.confirmNode(actor, { name: argument(0) }));
    out.json({ node: wireNode(node) });
    out.line(`The node "${node.name}" with ${node.certificates.length} certificates counts as it is.`);
  },
};

export const nodeCertificate: Command = {
  name: 'node certificate',
  summary: 'Issue a further certificate to a system; the former ones go on for 14 days',
  positional: ['NAME'],
  options: {
    out: { kind: 'value', valueName: 'DIR', required: true, description: 'Where the files are written' },
    csr: { kind: 'value', valueName: 'FILE', description: "The node's own certificate request" },
  },
  json: true,
  async run({ argument, required, value, out, withServices }) {
    const csrFile = value('csr');
    const csr = csrFile === undefined ? undefined : readInput(csrFile);
    const directory = prepareDirectory(required('out'), csr === undefined ? FILES : ['node.crt', 'ca.crt']);
    const { node, files } = await withServices(({ nodes, actor }) =>
      nodes.certificates.issue(actor, { name: argument(0) }, csr),
    );
    const written = FILES.flatMap((name) => {
      const content = files[name];
      if (content === undefined) return [];
      return [writeNew(directory, name, name === 'node.p12' ? Buffer.from(content, 'base64') : content)];
    });
    out.json({ node: wireNode(node), files: written, ...(files.p12Password && { p12Password: files.p12Password }) });
    out.line(`A further certificate of "${node.name}". Written:`);
    for (const file of written) out.line(`  ${file}`);
    if (files.p12Password !== undefined) out.line(`The password of node.p12, shown only now: ${files.p12Password}`);
  },
};

export const nodeKeys: Command = {
  name: 'node keys',
  summary: 'Give a system’s public keys (JWKS) for signed token requests',
  positional: ['NAME'],
  options: {
    file: { kind: 'value', valueName: 'FILE', description: 'The key set as JSON' },
    url: { kind: 'value', valueName: 'URL', description: 'Where the system publishes it' },
  },
  json: true,
  async run({ argument, value, out, withServices }) {
    const [file, url] = [value('file'), value('url')];
    if ((file === undefined) === (url === undefined)) throw invalid([{ path: [], message: 'Give --file or --url' }]);
    const keys = { jwks: file === undefined ? undefined : readInput(file), jwksUrl: url };
    const { node } = await withServices(({ nodes, actor }) => nodes.keys.set(actor, { name: argument(0) }, keys));
    out.json({ node: wireNode(node) });
    out.line(`The node "${node.name}" can ask for tokens now; its client id is ${node.id}.`);
  },
};

function reasonOf(text: string): string {
  const wanted = revokeNodeRequestSchema.safeParse({ reason: text });
  if (!wanted.success) throw invalid(wanted.error.issues);
  return wanted.data.reason;
}

function describeState(node: WireNode): string {
  if (!node.intact) return 'CHANGED BY SOMEBODY ELSE, refused';
  if (node.state === 'revoked') return `revoked ${node.revokedAt?.slice(0, 10) ?? ''}`;
  if (node.state !== 'active') return node.state;
  const until = node.certificates.find((certificate) => certificate.revokedAt === undefined)?.endsAt.slice(0, 10);
  const seen = node.lastSeenAt === undefined ? 'never seen' : `seen ${node.lastSeenAt.slice(0, 16).replace('T', ' ')}`;
  return `certificate until ${until ?? '-'}, ${seen}`;
}
