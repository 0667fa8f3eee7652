/** `npm run bench -- <name> [options]`: runs one benchmark, or says which there are. */
const BENCHES: Readonly<Record<string, { readonly summary: string; readonly run: () => Promise<unknown> }>> = {
  registry: {
    summary: 'registrations, reads, searches, $match through the nodes’ door, beside a bare skeleton (minutes)',
    run: () => import('./registry.ts'),
  },
  'first-load': {
    summary: 'a generated file loaded into an empty registry by the command line, in processor time (minutes)',
    run: () => import('./first-load.ts'),
  },
  prepare: {
    summary: 'fills a directory with a registry of N records and keeps it, for `registry --prepared DIRECTORY`',
    run: () => import('./prepare.ts'),
  },
  audit: { summary: 'audit events written, numbered and verified', run: () => import('./audit.ts') },
  atna: { summary: 'a spool of audit events replayed to a receiver', run: () => import('./atna.ts') },
  crypto: { summary: 'seals, tokens, hashes and signatures beside OpenSSL', run: () => import('./crypto.bench.ts') },
  'sign-in': {
    summary: 'sign-ins beside Argon2id alone, a flood, session checks, lists of 10,000 users',
    run: () => import('./sign-in.ts'),
  },
  encodings: {
    summary: 'whom two programmes share, found by encoded records',
    run: () => import('./encodings.ts'),
  },
  'search-typing': {
    summary: 'search as you type in Chromium, from the last key to the answer on the page (minutes)',
    run: () => import('./search-typing.ts'),
  },
  formats: { summary: 'XML beside JSON, in processor time', run: () => import('./formats.ts') },
  handshakes: { summary: 'full mutual-TLS handshakes beside nginx', run: () => import('./handshakes.ts') },
  linkage: { summary: 'accuracy of the shipped model on labelled sets', run: () => import('./linkage.ts') },
  'linkage-batch': { summary: 'accuracy of batch linkage on labelled sets', run: () => import('./linkage-batch.ts') },
  scoring: { summary: 'pairs scored per second beside other libraries', run: () => import('./scoring.ts') },
  'linkage-speed': { summary: 'a million generated records linked', run: () => import('./linkage-speed.ts') },
};

const [name = ''] = process.argv.slice(2);
const bench = BENCHES[name];
if (bench) {
  // Each file reads its options itself, after its own name.
  process.argv.splice(2, 1);
  await bench.run();
} else {
  console.log('npm run bench -- <name> [options]\n');
  for (const [known, { summary }] of Object.entries(BENCHES)) console.log(`  ${known.padEnd(14)} ${summary}`);
  process.exitCode = name === '' ? 0 : 2;
}
