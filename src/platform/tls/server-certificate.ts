import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createSecureContext } from 'node:tls';
import { newId } from '../../crypto/index.ts';
import type { Clock } from '../../kernel/time.ts';
import type { KeyMaterial } from './profiles.ts';
import { newLeafKey, readCertificate } from './x509.ts';

/** Signs a server certificate: leaf and issuing certificate, PEM. `features/nodes` does it with the built-in authority. */
export type SignServerCertificate = (spki: Uint8Array<ArrayBuffer>, names: readonly string[]) => Promise<string>;

/** A third of a 397-day certificate's life, ahead of every reminder. */
const RENEW_BEFORE_MS = 60 * 86_400_000;

export interface OwnServerCertificate {
  /** One PEM file, key and chain together, 0600: a reader can never see one without the other. */
  readonly file: string;
  readonly kind: 'ec' | 'rsa';
  /** DNS names and IP addresses the doors answer under. */
  readonly names: readonly string[];
  readonly sign: SignServerCertificate;
  readonly clock: Clock;
}

/** Makes the server's certificate when there is none, when it nears its end, or when the host names have changed. */
export async function ensureServerCertificate(own: OwnServerCertificate): Promise<'kept' | 'made'> {
  if (isStillGood(own)) return 'kept';
  const key = await newLeafKey(own.kind);
  const chain = await own.sign(key.spki, own.names);
  writePrivately(own.file, `${key.pem}${chain}`);
  return 'made';
}

function isStillGood(own: OwnServerCertificate): boolean {
  if (!existsSync(own.file)) return false;
  try {
    const { certificate } = readKeyMaterial({ certificateFile: own.file, keyFile: own.file });
    const { names, notAfterMs } = readCertificate(certificate);
    const known = new Set(names.map((name) => name.toLowerCase()));
    const complete = own.names.every((name) => known.has(name.toLowerCase()));
    return complete && notAfterMs - own.clock.nowMs() > RENEW_BEFORE_MS;
  } catch {
    // Damaged or half-written by an earlier crash: it is ours, so a new one is the repair.
    return false;
  }
}

/** Written beside and renamed, so that a reader sees the old file or the new one, and a crash leaves the old. */
function writePrivately(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const beside = `${file}.${newId()}.new`;
  writeFileSync(beside, content, { flag: 'wx', mode: 0o600 }); // never into a file or link that is there
  renameSync(beside, file);
}

export interface CertificateFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** Reads and checks a pair: both parse and belong together. Throws with the reason otherwise. */
export function readKeyMaterial(files: CertificateFiles): KeyMaterial {
  const certificates = pemBlocks(readFileSync(files.certificateFile, 'utf8'), 'CERTIFICATE');
  const keys = pemBlocks(readFileSync(files.keyFile, 'utf8'), '(?:RSA |EC )?PRIVATE KEY');
  if (certificates.length === 0) throw new Error('no certificate in PEM form');
  if (keys.length !== 1) throw new Error('not exactly one unencrypted private key in PEM form');
  const material = { certificate: certificates.join('\n'), key: keys[0] ?? '' };
  createSecureContext({ cert: material.certificate, key: material.key });
  return material;
}

function pemBlocks(text: string, label: string): string[] {
  return text.match(new RegExp(`-----BEGIN ${label}-----[\\s\\S]+?-----END ${label}-----`, 'g')) ?? [];
}

/** What tells that a file was replaced, followed through symbolic links (certbot, Kubernetes). */
export function fileMark(files: CertificateFiles): string {
  return [files.certificateFile, files.keyFile]
    .map((file) => {
      const stat = statSync(file, { throwIfNoEntry: false });
      return stat === undefined ? 'missing' : `${stat.ino}:${stat.size}:${stat.mtimeMs}`;
    })
    .join(' ');
}
