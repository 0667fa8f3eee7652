import { setUpDone } from '../features/identity/index.ts';
import { instant } from '../kernel/time.ts';
import type { Command } from './command.ts';

export const setup: Command = {
  name: 'setup',
  summary: 'Make a new one-time set-up link for the first administrator',
  positional: [],
  options: {},
  json: true,
  help: `The link works once and for 30 minutes; links made before stop working. Once there is an administrator,
\`careseal user add\` invites others and \`careseal user reset\` helps who cannot sign in.`,
  async run({ out, withServices }) {
    await withServices(async ({ identity, actor, baseUrl }) => {
      const link = await identity.setupLink(actor, baseUrl);
      if (link === undefined) throw setUpDone();
      out.json({ link: link.url, expiresAt: instant(link.expiresMs) });
      out.line('Open this link in a browser to set up the first administrator. It works once, for 30 minutes:');
      out.line(`  ${link.url}`);
    });
  },
};
