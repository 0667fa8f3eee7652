import type { TlsOptions } from 'node:tls';
import type { DoorLog, LiveTls } from '../http/index.ts';
import { type KeyMaterial } from './profiles.ts';
import { type CertificateFiles, fileMark, readKeyMaterial } from './server-certificate.ts';

export interface LiveCertificatesOptions {
  /** One or more pairs (an ECDSA and an RSA one); a TLS client is served the one it can use. */
  readonly files: readonly CertificateFiles[];
  readonly log: DoorLog;
  /** How often the files are looked at. `fs.watch` misses renames over symbolic links and network file systems. */
  readonly pollMs?: number;
}

export interface LiveCertificates {
  /** Settings for one door, following the files from now on. */
  forDoor(profile: (material: readonly KeyMaterial[]) => TlsOptions): LiveTls;
  /** Makes open doors take their settings again: the authorities behind a profile changed. */
  refresh(): void;
  stop(): void;
}

/**
 * Keeps the doors' certificates as the files are. A new pair must parse and belong together before it is used; a broken one
 * is reported once and the old pair stays, so a half-finished renewal never closes a door.
 */
export function watchCertificates(options: LiveCertificatesOptions): LiveCertificates {
  const listeners = new Set<() => void>();
  let mark = options.files.map(fileMark).join(' ');
  let material = options.files.map(readKeyMaterial);
  const timer = setInterval(look, options.pollMs ?? 2_000);
  timer.unref();

  function look(): void {
    const now = options.files.map(fileMark).join(' ');
    if (now === mark) return;
    mark = now;
    try {
      material = options.files.map(readKeyMaterial);
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unreadable';
      options.log.error({ reason }, 'The new TLS certificate is not usable; the old one stays in use');
      return;
    }
    refresh();
    options.log.info({}, 'TLS certificate reloaded');
  }

  function refresh(): void {
    for (const listener of listeners) listener();
  }

  return {
    forDoor: (profile) => ({
      current: () => profile(material),
      onChange(apply) {
        const listener = () => apply(profile(material));
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    }),
    refresh,
    stop: () => clearInterval(timer),
  };
}
