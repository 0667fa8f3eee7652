import type { Command } from './command.ts';
import { prepareDirectory, writeNew } from './node-files.ts';

const FILES = ['node.key', 'node.crt', 'node.p12', 'ca.crt'] as const;

export const sandboxCreate: Command = {
  name: 'sandbox create',
  summary: 'Make an organisation with a node and made-up people, for trying an integration',
  positional: [],
  options: {
    out: { kind: 'value', valueName: 'DIR', required: true, description: 'Where the node’s files are written' },
  },
  json: true,
  help: `Made-up people are clients like any other, with names that nobody could take for real ones. Do it on an installation for
trying things out, not beside real clients. docs/integration.md goes on from here.`,
  async run({ required, out, withServices }) {
    const directory = prepareDirectory(required('out'), FILES);
    const { createSandbox } = await import('../main/index.ts');
    const { made, fhirUrl } = await withServices(async (services) => ({
      made: await createSandbox(services, services.actor),
      fhirUrl: services.fhirUrl,
    }));
    const { node, files } = made.added;
    const written = FILES.flatMap((name) => {
      const content = files[name];
      if (content === undefined) return [];
      return [writeNew(directory, name, name === 'node.p12' ? Buffer.from(content, 'base64') : content)];
    });
    out.json({
      organisationId: made.organisationId,
      nodeId: node.id,
      domains: node.domains,
      people: made.people,
      files: written,
      fhirUrl,
      ...(files.p12Password && { p12Password: files.p12Password }),
    });
    out.line(`The organisation "Sandbox" with the node "${node.name}" and ${made.people} made-up records. Written:`);
    for (const file of written) out.line(`  ${file}`);
    if (files.p12Password !== undefined) out.line(`The password of node.p12, shown only now: ${files.p12Password}`);
    out.line('Try it, in that folder, with');
    out.line(`  curl --cacert ca.crt --cert node.crt --key node.key "${fhirUrl}/Patient?family=Sandcastle"`);
  },
};
