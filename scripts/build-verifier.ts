/**
 * Builds the verifier for outsiders: `node scripts/build-verifier.ts [FOLDER]` (default dist/verify) writes careseal-verify.mjs, one
 * file for Node, and careseal-verify.html, one page for a browser without a network. The build of the web pages puts both among them.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'vite';
import { sha256 } from '../src/crypto/index.ts';

const ROOT = resolve(import.meta.dirname, '..');
const SOURCE = join(ROOT, 'src/verifier');

/** Bundles one entry into one text, with nothing left to be imported but Node itself. */
async function bundle(entry: string, forNode: boolean): Promise<string> {
  const built = await build({
    configFile: false,
    root: ROOT,
    logLevel: 'warn',
    publicDir: false,
    ssr: { noExternal: true },
    build: {
      write: false,
      // Readable for Node, where it may be audited; small for the page.
      minify: !forNode,
      target: 'es2022',
      modulePreload: false,
      ...(forNode ? { ssr: entry } : {}),
      rollupOptions: { input: entry, output: { format: 'es' } },
    },
  });
  const outputs = (Array.isArray(built) ? built : [built]).flatMap((one) => ('output' in one ? one.output : []));
  const chunks = outputs.filter((output) => output.type === 'chunk');
  const [only] = chunks;
  if (only === undefined || chunks.length !== 1) throw new Error(`${entry} did not become one file`);
  return only.code;
}

const hashSource = (text: string): string => `sha256-${sha256(Buffer.from(text)).toString('base64')}`;

/** Writes both into this folder. */
export async function buildVerifier(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { name, text } of await makeVerifier()) await writeFile(join(folder, name), text);
}

/** Both as texts. */
export async function makeVerifier(): Promise<readonly { readonly name: string; readonly text: string }[]> {
  const forNode = await bundle(join(SOURCE, 'node/main.ts'), true);
  const script = `\n${(await bundle(join(SOURCE, 'page/page.ts'), false)).replaceAll('</script', '<\\/script')}`;
  const [page, style] = await Promise.all([
    readFile(join(SOURCE, 'page/page.html'), 'utf8'),
    readFile(join(SOURCE, 'page/page.css'), 'utf8'),
  ]);
  const filled = page
    .replace('%SCRIPT_HASH%', () => hashSource(script))
    .replace('%STYLE_HASH%', () => hashSource(style))
    .replace('%STYLE%', () => style)
    .replace('%SCRIPT%', () => script);
  return [
    { name: 'careseal-verify.mjs', text: `#!/usr/bin/env node\n${forNode}` },
    { name: 'careseal-verify.html', text: filled },
  ];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await buildVerifier(resolve(process.argv[2] ?? join(ROOT, 'dist/verify')));
}
