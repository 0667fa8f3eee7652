import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyMaterial } from '../../src/platform/tls/index.ts';
import { run } from './programs.ts';

/** Asks openssl for a new P-256 key. */
export const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] as const;

/** Keys and certificates as strangers make them: by openssl, as `<name>.key` and `<name>.crt` in the folder. */
export function opensslIn(folder: string) {
  let leaves = 0;

  /** Runs one command there; throws with what it said when it fails. */
  async function openssl(...args: readonly string[]): Promise<void> {
    const ran = await run('openssl', [...args], folder);
    if (ran.code !== 0) throw new Error(ran.stderr);
  }

  return {
    openssl,
    text: (name: string): string => readFileSync(join(folder, name), 'utf8'),
    identityOf: (name: string): KeyMaterial => ({
      certificate: readFileSync(join(folder, `${name}.crt`), 'utf8'),
      key: readFileSync(join(folder, `${name}.key`), 'utf8'),
    }),
    /** An authority of 900 days. */
    async authority(name: string): Promise<void> {
      const files = ['-keyout', `${name}.key`, '-out', `${name}.crt`];
      await openssl('req', '-x509', '-nodes', ...EC, ...files, '-subj', `/CN=${name}`, '-days', '900');
    },
    /** A certificate by that authority, with these extension lines, of 300 days unless wished otherwise; answers its name. */
    async signed(by: string, subject: string, extensions: string, ...wishes: readonly string[]): Promise<string> {
      const name = `leaf${++leaves}`;
      await openssl('req', '-new', '-nodes', ...EC, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject);
      writeFileSync(join(folder, `${name}.ext`), extensions);
      const authority = ['-CA', `${by}.crt`, '-CAkey', `${by}.key`, '-CAcreateserial'];
      const made = ['x509', '-req', '-in', `${name}.csr`, ...authority, '-out', `${name}.crt`];
      await openssl(...made, '-extfile', `${name}.ext`, ...(wishes.length === 0 ? ['-days', '300'] : wishes));
      return name;
    },
  };
}
