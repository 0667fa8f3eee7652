import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

const run = promisify(execFile);
const PROGRAM = join(import.meta.dirname, '../..');

/** Each wall with a file that breaks it: rule → [file, what it imports]. A house of nothing else is built from these. */
const BREAKS: Readonly<Record<string, readonly [string, string]>> = {
  'no-cycles': ['src/platform/log/one.ts', './two.ts'],
  'no-tests-in-program': ['src/store/borrows.ts', '../kernel/ids.test.ts'],
  resolvable: ['src/platform/log/lost.ts', './nowhere.ts'],
  'kernel-imports-nothing': ['src/kernel/up.ts', '../crypto/index.ts'],
  'kernel-is-pure': ['src/features/registry/rules.ts', 'node:fs'],
  'crypto-imports-kernel': ['src/crypto/up.ts', '../platform/db/index.ts'],
  'fhir-imports-kernel-and-crypto': ['src/fhir/up.ts', '../platform/db/index.ts'],
  'platform-knows-no-health': ['src/platform/log/up.ts', '../../store/index.ts'],
  'store-below-features': ['src/store/up.ts', '../features/audit/index.ts'],
  'features-below-main': ['src/features/registry/up.ts', '../../main/index.ts'],
  'main-below-cli': ['src/main/up.ts', '../cli/main.ts'],
  'verifier-stands-alone': ['src/verifier/up.ts', '../store/index.ts'],
  'web-sees-wires': ['src/web/up.ts', '../features/registry/service.ts'],
  'features-through-their-door': ['src/features/registry/side.ts', '../nodes/service.ts'],
  'others-through-the-features-doors': ['src/main/side.ts', '../features/nodes/service.ts'],
  'platform-through-its-doors': ['src/store/side.ts', '../platform/db/values.ts'],
  'order-of-features': ['src/features/audit/side.ts', '../identity/index.ts'],
  'matching-is-pure': ['src/features/matching/up.ts', '../../crypto/index.ts'],
  'identity-and-nodes-below-registry': ['src/features/identity/up.ts', '../registry/index.ts'],
  'one-door-to-crypto': ['src/features/nodes/own-crypto.ts', 'node:crypto'],
  'one-door-to-argon2': ['src/features/nodes/own-hash.ts', '@node-rs/argon2'],
  'one-door-to-sql': ['src/features/nodes/own-sql.ts', 'pg'],
  'one-door-to-sockets': ['src/features/nodes/own-http.ts', 'node:https'],
  'one-door-to-processes': ['src/features/nodes/own-process.ts', 'node:child_process'],
  'one-door-to-the-web-server': ['src/features/nodes/own-server.ts', 'fastify'],
  'one-door-to-the-log': ['src/features/nodes/own-log.ts', 'pino'],
  'one-door-to-metrics': ['src/features/nodes/own-metrics.ts', 'prom-client'],
  'one-door-to-x509': ['src/features/nodes/own-x509.ts', '@peculiar/x509'],
  'database-files-stay-inside': ['src/store/own-postgres.ts', '../platform/postgres/index.ts'],
  receipts: ['src/cli/own-receipt.ts', '../platform/http/audited.ts'],
};

/** What the broken files import. */
const STANDING = [
  'src/kernel/ids.test.ts',
  'src/crypto/index.ts',
  'src/platform/db/index.ts',
  'src/platform/db/values.ts',
  'src/platform/http/audited.ts',
  'src/platform/postgres/index.ts',
  'src/store/index.ts',
  'src/features/audit/index.ts',
  'src/features/identity/index.ts',
  'src/features/nodes/service.ts',
  'src/features/registry/index.ts',
  'src/features/registry/service.ts',
  'src/main/index.ts',
  'src/cli/main.ts',
];

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

let house: string;
let violations: readonly Violation[];

beforeAll(async () => {
  house = await mkdtemp(join(tmpdir(), 'careseal-walls-'));
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(house, path)), { recursive: true });
    await writeFile(join(house, path), text);
  };
  for (const path of STANDING) await write(path, 'export const stands = true;\n');
  for (const [path, imported] of Object.values(BREAKS))
    await write(path, `import * as it from '${imported}';\nexport { it };\n`);
  await write('src/platform/log/two.ts', `export * from './one.ts';\n`);
  for (const file of ['.dependency-cruiser.mjs', 'tsconfig.server.json', 'tsconfig.base.json', 'package.json']) {
    await cp(join(PROGRAM, file), join(house, file));
  }
  await symlink(join(PROGRAM, 'node_modules'), join(house, 'node_modules'));
  const cruiser = join(PROGRAM, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const args = [cruiser, '--config', '.dependency-cruiser.mjs', '--output-type', 'json', 'src'];
  // Violations are an exit code other than 0 with a report all the same.
  const { stdout } = await run(process.execPath, args, { cwd: house, maxBuffer: 64 * 1024 * 1024 }).catch(
    (error: { stdout: string }) => error,
  );
  violations = (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary.violations;
});
afterAll(() => rm(house, { recursive: true }));

it.each(Object.entries(BREAKS))('%s falls when it is broken', (rule, [file]) => {
  expect(violations.filter((violation) => violation.from === file).map((violation) => violation.rule.name)).toContain(
    rule,
  );
});

it('every wall is tried here', async () => {
  const config = (await import(join(PROGRAM, '.dependency-cruiser.mjs'))) as {
    default: { forbidden: { name: string }[] };
  };
  expect(config.default.forbidden.map((rule) => rule.name).toSorted()).toEqual(Object.keys(BREAKS).toSorted());
});
