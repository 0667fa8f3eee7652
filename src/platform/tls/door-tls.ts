import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../kernel/time.ts';
import type { DoorLog, LiveTls } from '../http/index.ts';
import { watchCertificates } from './live-certificates.ts';
import { nodesTls, usersTls } from './profiles.ts';
import { type CertificateFiles, ensureServerCertificate, type SignServerCertificate } from './server-certificate.ts';

export interface DoorTlsOptions {
  /** Where the certificates made here are kept: `tls/` of the home. */
  readonly directory: string;
  /** What the certificates are for; see `answeredNames`. */
  readonly names: readonly string[];
  /** The administrator's own certificates, by file; the door without gets one from the built-in authority. */
  readonly ownUsers?: CertificateFiles | undefined;
  readonly ownNodes?: CertificateFiles | undefined;
  readonly sign: SignServerCertificate;
  /** Authorities the nodes' door builds chains with, PEM; asked again at each renewal round. */
  readonly clientAuthorities: () => Promise<readonly string[]>;
  readonly log: DoorLog;
  readonly clock: Clock;
  readonly pollMs?: number;
}

export interface DoorTls {
  readonly users: LiveTls;
  readonly nodes: LiveTls;
  /** Renews what is due now instead of at the next round. */
  renew(): Promise<void>;
  /** Takes over authorities that were added or removed. */
  reloadAuthorities(): Promise<void>;
  stop(): void;
}

const RENEWAL_ROUND_MS = 12 * 3_600_000;

/** Both doors' TLS: certificates made, renewed and followed. */
export async function openDoorTls(options: DoorTlsOptions): Promise<DoorTls> {
  const made = { ec: join(options.directory, 'server.pem'), rsa: join(options.directory, 'server-rsa.pem') };
  const users = options.ownUsers === undefined ? [single(made.ec)] : [options.ownUsers];
  // ITI-19's DHE suites need an RSA key; clients that can do better are served the other one.
  const nodes = options.ownNodes === undefined ? [single(made.ec), single(made.rsa)] : [options.ownNodes];
  let authorities = await options.clientAuthorities();

  async function ensure(): Promise<void> {
    const { names, sign, clock } = options;
    const needed = [...users, ...nodes];
    for (const kind of ['ec', 'rsa'] as const) {
      const file = made[kind];
      if (needed.some((pair) => pair.keyFile === file))
        await ensureServerCertificate({ file, kind, names, sign, clock });
    }
  }

  await ensure();
  const { log, pollMs } = options;
  const poll = pollMs === undefined ? {} : { pollMs };
  const usersFiles = watchCertificates({ files: users, log, ...poll });
  const nodesFiles = watchCertificates({ files: nodes, log, ...poll });

  async function renew(): Promise<void> {
    await ensure();
    await reloadAuthorities();
  }

  async function reloadAuthorities(): Promise<void> {
    const now = await options.clientAuthorities();
    if (now.join('') === authorities.join('')) return;
    authorities = now;
    nodesFiles.refresh();
  }

  const timer = setInterval(() => {
    // Tried again in the next round; weeks are left when the first one is due.
    renew().catch(() => log.error({}, 'Server certificates could not be checked for renewal'));
  }, RENEWAL_ROUND_MS);
  timer.unref();
  return {
    users: usersFiles.forDoor(usersTls),
    nodes: nodesFiles.forDoor((material) => nodesTls(material, authorities)),
    renew,
    reloadAuthorities,
    stop() {
      clearInterval(timer);
      usersFiles.stop();
      nodesFiles.stop();
    },
  };
}

function single(file: string): CertificateFiles {
  return { certificateFile: file, keyFile: file };
}

/**
 * Every name the doors answer under: the configured ones first (the first of them makes links), then this machine's own.
 * An installation that configured nothing is reached by the machine's name as well.
 */
export function answeredNames(configured: readonly string[]): readonly string[] {
  const names = [...configured, 'localhost', '127.0.0.1', '::1'];
  const machine = hostname().toLowerCase();
  const isTrial = configured.length === 0 || (configured.length === 1 && configured[0] === 'localhost');
  if (isTrial && /^[a-z0-9][a-z0-9.-]{0,252}$/.test(machine)) names.push(machine);
  return [...new Set(names.map((name) => name.toLowerCase()))];
}
